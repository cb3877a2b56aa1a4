"""What the texts of a skill ask their reader to do.

passages.py finds the texts (prose, comments, invisible elements, strings of data, fenced code),
lexicon.py knows the words, requests.py what a sentence asks for, commands.py what a command in
it does, inspector.py puts these together. fields.py, sign_rules.py and signs.py know what attacks
have in common whatever their words are; weighing.py adds that up over a file.
"""
