import io
import json
import sys

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps, ImageStat

n = json.load(sys.stdin)["n"]

image = Image.new("RGB", (120, 80), "white")
draw = ImageDraw.Draw(image)
draw.rectangle((10, 10, 50, 50), fill=(255, 0, 0))
draw.ellipse((60, 10, 110, 60), fill="blue", outline="black")
draw.text((10, 60), "Grüße", font=ImageFont.load_default(), fill="black")

kept = {}
for kind in ("PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP"):
    path = f"/tmp/picture.{kind.lower()}"
    image.save(path, kind)
    with Image.open(path) as again:
        again.load()
        kept[kind] = [again.format, list(again.size)]
        if kind in ("PNG", "BMP", "TIFF"):
            assert ImageChops.difference(again.convert("RGB"), image).getbbox() is None

frames = [Image.new("RGB", (4, 4), (80 * number, 0, 0)) for number in range(n)]
data = io.BytesIO()
frames[0].save(data, "GIF", save_all=True, append_images=frames[1:])
with Image.open(io.BytesIO(data.getvalue())) as moving:
    count = moving.n_frames

blurred = image.filter(ImageFilter.GaussianBlur(2)).resize((60, 40), Image.Resampling.LANCZOS)
try:
    Image.open(io.BytesIO(b"no picture"))
    raise AssertionError("what is no picture was opened")
except OSError:
    pass

print(
    json.dumps(
        {
            "kept": kept,
            "frames": count,
            "pixel": list(image.getpixel((20, 20))),
            "turned": list(image.rotate(90, expand=True).size),
            "gray": ImageOps.grayscale(image).mode,
            "thumbnail": list(blurred.size),
            "darker": ImageStat.Stat(image).mean[1] < 255,
            "bytes": len(image.tobytes()),
        }
    )
)
