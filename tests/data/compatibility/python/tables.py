"""csv in both directions, with dialects and quoting."""
import csv
import io
import json

text = 'name,amount,note\r\n"Müller, Anna",3.50,"said ""hi"""\r\nBob,,"two\nlines"\r\n'
rows = list(csv.DictReader(io.StringIO(text, newline="")))
with open("out.csv", "w", newline="", encoding="utf-8") as file:
    writer = csv.DictWriter(file, ["name", "amount", "note"], delimiter=";", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    writer.writerows(rows)
with open("out.csv", newline="", encoding="utf-8") as file:
    sample = file.read()
    dialect = csv.Sniffer().sniff(sample)
    file.seek(0)
    again = list(csv.reader(file, dialect))
assert again[1][0] == "Müller, Anna"
print(json.dumps({"rows": rows, "written": sample, "delimiter": dialect.delimiter, "again": again}))
