"""Names of months as labels print them, in the languages of a site."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from core.errors import BadInput
from core.words.confusions import folded


def names_of_months(languages: Sequence[str]) -> Mapping[str, int]:
    """Every name and abbreviation, folded, with the number of its month; names that mean two months are left out.

    Args:
        languages: ISO 639 codes, such as "en" and "de".

    Raises:
        BadInput: a language that Unicode's locale data has no months for.
    """
    return _names(tuple(languages))


@lru_cache(maxsize=64)
def _names(languages: tuple[str, ...]) -> Mapping[str, int]:
    from babel import Locale, UnknownLocaleError

    found: dict[str, int] = {}
    doubtful: set[str] = set()
    for language in languages:
        try:
            months = Locale.parse(language).months
        except (UnknownLocaleError, ValueError) as error:
            raise BadInput(f"There is no language '{language}': give its code, such as en, de or fr.") from error
        for context in ("format", "stand-alone"):
            for width in ("abbreviated", "wide"):
                for number, name in months[context][width].items():
                    for form in (folded(name).rstrip("."), folded(name)[:3]):
                        if len(form) >= 3 and found.setdefault(form, number) != number:
                            doubtful.add(form)
    return {name: number for name, number in found.items() if name not in doubtful}
