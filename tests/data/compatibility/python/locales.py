"""The locale that LANG names can be set; others are refused as on any machine without them."""
import calendar
import gettext
import json
import locale

facts = {"set": locale.setlocale(locale.LC_ALL, "C.UTF-8")}
facts["from the environment"] = locale.setlocale(locale.LC_ALL, "")
facts["collate"] = sorted(["b", "a", "B", "ä"], key=locale.strxfrm)
facts["strcoll"] = [locale.strcoll("a", "b") < 0, locale.strcoll("b", "a") > 0, locale.strcoll("a", "a")]
facts["number"] = locale.format_string("%.2f", 1234567.891, grouping=True)
facts["conventions"] = locale.localeconv()["decimal_point"]
facts["encoding"] = locale.getpreferredencoding(False).lower()
facts["getlocale"] = locale.getlocale()
facts["nl_langinfo"] = locale.nl_langinfo(locale.CODESET)
facts["day"] = calendar.day_name[0]
facts["gettext"] = gettext.translation("x", fallback=True).gettext("hello")
try:
    locale.setlocale(locale.LC_ALL, "xx_XX.UTF-8")
except locale.Error as error:
    facts["unknown"] = str(error)
assert facts["set"] == "C.UTF-8"
print(json.dumps(facts))
