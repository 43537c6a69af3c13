"""Words that stand beside a printed date and say what it means."""

from collections.abc import Mapping
from enum import StrEnum

from core.words.confusions import folded


class Kind(StrEnum):
    """What a date says of the goods."""

    EXPIRY = "expiry"
    MADE = "made"
    UNSAID = "unsaid"


_EXPIRY = (
    "EXP", "EXPIRY", "EXPIRES", "EXP DATE", "BB", "BBE", "BBD", "ED", "BEST BEFORE", "BEST BY", "BEST IF USED BY",
    "USE BY", "USE BEFORE", "SELL BY",
    "MHD", "MINDESTENS HALTBAR BIS", "HALTBAR BIS", "VERW BIS", "VERWENDBAR BIS", "ZU VERBRAUCHEN BIS",
    "DLC", "DLUO", "DDM", "A CONSOMMER", "A CONSOMMER AVANT",
    "CADUCIDAD", "CAD", "FECHA CAD", "CONSUMIR ANTES", "VTO", "VENCE", "VAL", "VALIDADE",
    "CONSUMARE", "DA CONSUMARSI", "SCAD", "SCADENZA", "THT", "TGT", "TERMIN", "NAJLEPIEJ",
    "ГОДЕН ДО", "유통기한", "소비기한", "까지", "賞味期限", "消費期限", "保质期至", "有效期至", "限用日期",
)  # fmt: skip
_MADE = (
    "MFG", "MFD", "MAN", "MANUFACTURED", "PROD", "PROD DATE", "PRODUCTION DATE", "PRODUCED", "PKD", "PACKED",
    "PACKED ON", "DOM", "HERGESTELLT", "HERST", "ABGEPACKT", "FABRIQUE", "FAB", "FABRICADO", "ELAB", "PRODOTTO",
    "제조", "제조일", "生产日期", "製造",
)  # fmt: skip

# Every word as labels are compared: folded.
WORDS: Mapping[str, Kind] = {
    folded(one): kind for kind, many in ((Kind.EXPIRY, _EXPIRY), (Kind.MADE, _MADE)) for one in many
}
