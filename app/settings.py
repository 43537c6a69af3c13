"""Everything that is set from outside: one frozen object, read from the environment when it is asked for."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import BadInput

CHECKOUT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """What the plant's own people decide; each is `HOLDPOINT_` and its name in capitals.

    Attributes:
        home: where everything made at run time lives.
        database_url: of the store; SQLite inside `home` where none is given.
        device: where nets run; auto takes CUDA where there is a card.
        offline: never ask the network for weights.
        decoders: child processes that open pictures.
        decode_seconds: longest time one picture may take to open.
        picture_pixels: largest picture that is opened, width times height.
        batch_images: pictures scored and filed together by ingest.
        serve_waiting: requests the endpoint works on or keeps waiting; more are told to come back.
        serve_seconds: longest wait for an answer; HOLD after it.
        upload_bytes: largest picture the endpoint and the page take.
        settle_seconds: how long a file in an inbox must stay unchanged before it is opened.
        ocr: reader of printed labels; auto takes EasyOCR where its models are at hand.
        ocr_seconds: longest time one way of reading a picture may take.
        ocr_threads: of the processor, for the reader.
        describer_url: of an OpenAI-compatible server that may write descriptions; empty asks nobody.
        describer_model: as that server knows it.
        describer_key_file: holds the key that the server asks for, mode 600; none where it asks for none.
        describer_timeout: seconds that an answer may take, all in all.
        backup_hours: the worker makes a backup so often; 0 leaves it to people.
        backups_kept: of those that the worker made by itself; older ones are deleted.
        key_file: keys that encrypt originals and notes, outside `home`; none encrypts nothing.
        oidc_issuer: address of the company's own sign-in (OpenID Connect); empty for passwords only.
        oidc_client_id: as it knows Holdpoint.
        oidc_client_secret: what it gave Holdpoint to prove itself.
        oidc_name: what its button says.
    """

    model_config = SettingsConfigDict(env_prefix="HOLDPOINT_", frozen=True, extra="ignore")

    home: Path = CHECKOUT / "var"
    database_url: str = ""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    offline: bool = False
    decoders: int = Field(default=2, ge=1, le=64)
    decode_seconds: float = Field(default=20, gt=0)
    picture_pixels: int = Field(default=100_000_000, ge=1)
    batch_images: int = Field(default=32, ge=1, le=4096)
    serve_waiting: int = Field(default=8, ge=1, le=4096)
    serve_seconds: float = Field(default=60, gt=0)
    upload_bytes: int = Field(default=64 << 20, ge=1 << 10)
    settle_seconds: float = Field(default=1.0, ge=0)
    ocr: Literal["auto", "rapidocr", "easyocr"] = "auto"
    ocr_seconds: float = Field(default=60, gt=0)
    ocr_threads: int = Field(default=2, ge=1, le=64)
    describer_url: str = ""
    describer_model: str = ""
    describer_key_file: Path | None = None
    describer_timeout: float = Field(default=20, gt=0, le=600)
    backup_hours: float = Field(default=0, ge=0)
    backups_kept: int = Field(default=7, ge=1, le=1000)
    key_file: Path | None = None
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = Field(default="your company", max_length=40)

    def model_post_init(self, _context: Any) -> None:
        """Make `home` absolute, and put the store in it by default."""
        home = self.home.expanduser().absolute()
        object.__setattr__(self, "home", home)  # frozen for everybody else
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{home / 'holdpoint.sqlite3'}")

    @property
    def models(self) -> Path:
        """One folder per model version."""
        return self.home / "models"

    @property
    def datasets(self) -> Path:
        """One manifest per dataset."""
        return self.home / "datasets"

    @property
    def compiled(self) -> Path:
        """Nets as the back end compiled them for this processor; may be deleted at any time."""
        return self.home / "compiled"

    @property
    def previews(self) -> Path:
        """Thumbnails and screen copies, by content hash; may be deleted at any time."""
        return self.home / "previews"

    @property
    def exports(self) -> Path:
        """What people exported from a page."""
        return self.home / "exports"

    @property
    def uploads(self) -> Path:
        """Pictures that arrived over the network; these are the originals."""
        return self.home / "uploads"

    @property
    def backups(self) -> Path:
        """Backups that were asked for from a page; an administrator carries them elsewhere."""
        return self.home / "backups"

    @property
    def secrets(self) -> Path:
        """Keys made at the first start; readable by the owner only."""
        return self.home / "secrets"


def settings() -> Settings:
    """The settings of this moment.

    Raises:
        BadInput: naming the variable that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "HOLDPOINT_" + ".".join(str(part) for part in first["loc"]).upper()
        raise BadInput(f"{name} cannot be used ({first['msg'].lower()}): mend it in the environment.") from error
