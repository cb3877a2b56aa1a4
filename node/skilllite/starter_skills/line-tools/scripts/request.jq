# Checks a request and prints it line by line for the shell: "ok", the options, then the text; or
# "refused" and the reason. Written for jq 1.6 and newer.

def text_characters_max: 500000; # about 10,000 lines of prose
def lines_max: 50000;            # with a number in front of each they still fit the output
def contains_characters_max: 1000;
def start_max: 1000000000;

def fields: {
  sort: ["order", "numeric", "ignore_case"],
  unique: ["ignore_case"],
  count: [],
  reverse: [],
  head: ["lines"],
  tail: ["lines"],
  number: ["start"],
  filter: ["contains", "invert", "ignore_case"]
};

def operations: ["sort", "unique", "count", "reverse", "head", "tail", "number", "filter"];

def is_integer($low; $high): type == "number" and . == floor and . >= $low and . <= $high;

def one_line: type == "string" and (index("\n") // index("\r") // index("\u0000")) == null;

# Each check yields a reason, or nothing.
def wrong_fields:
  .operation as $operation
  | (["operation", "text"] + fields[$operation]) as $allowed
  | (keys - $allowed)[:1][]
  | "field \(.[:60] | tojson) is not known for \($operation); allowed: \($allowed | join(", "))";

def wrong_text:
  if (.text | type) != "string" then "text is missing or no string: it must be a string"
  elif (.text | length) > text_characters_max then
    "text must have at most \(text_characters_max) characters"
  elif (.text | index("\u0000")) != null then "text must not hold the character U+0000"
  elif (.text | split("\n") | length) > lines_max then "text must have at most \(lines_max) lines"
  else empty end;

def wrong_options:
  . as $request
  | if has("order") and ([.order] - ["ascending", "descending"]) != [] then
      "order must be one of ascending, descending"
    else empty end,
    (("numeric", "ignore_case", "invert")
      | select(. as $name | $request | has($name) and (.[$name] | type) != "boolean")
      | "\(.) must be true or false"),
    if has("lines") and (.lines | is_integer(0; lines_max) | not) then
      "lines must be an integer from 0 to \(lines_max)"
    else empty end,
    if has("start") and (.start | is_integer(0; start_max) | not) then
      "start must be an integer from 0 to \(start_max)"
    else empty end,
    if .operation != "filter" then empty
    elif (.contains | one_line | not) or .contains == "" then
      "contains is missing or wrong: it must be a string of one line that is not empty"
    elif (.contains | length) > contains_characters_max then
      "contains must have at most \(contains_characters_max) characters"
    else empty end;

def reasons:
  if length != 1 then "the input must be one JSON object"
  elif (.[0] | type) != "object" then "the input must be a JSON object"
  elif ([.[0].operation] - operations) != [] then
    "operation must be one of \(operations | join(", "))"
  else .[0] | wrong_fields, wrong_text, wrong_options end;

def text_lines:
  if . == "" then empty
  else rtrimstr("\n") | if . == "" then "" else split("\n")[] end end;

[limit(1; reasons)] as $reasons
| if $reasons != [] then "refused", $reasons[0]
  else
    .[0]
    | "ok", .operation, .order // "ascending", .numeric // false, .ignore_case // false,
      ((if has("lines") then .lines else 10 end) | floor),
      ((if has("start") then .start else 1 end) | floor),
      .invert // false, .contains // "", (.text | text_lines)
  end
