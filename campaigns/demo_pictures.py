"""Sample pictures, drawn: nothing to download, and nobody's rights."""

from io import BytesIO

from PIL import Image, ImageColor, ImageDraw, ImageFont

from campaigns.demo_content import Picture

SIZE = (1200, 675)


def draw_picture(picture: Picture) -> bytes:
    """The same JPEG for the same picture, so that drawing it again changes nothing."""
    image = _gradient(picture.top, picture.bottom)
    _draw_sun(image)
    _write(image, picture)
    output = BytesIO()
    image.save(output, "JPEG", quality=82)
    return output.getvalue()


def _gradient(top: str, bottom: str) -> Image.Image:
    mask = Image.linear_gradient("L").resize(SIZE)
    return Image.composite(Image.new("RGB", SIZE, bottom), Image.new("RGB", SIZE, top), mask)


def _draw_sun(image: Image.Image) -> None:
    """Rings of light, each a little fainter."""
    light = Image.new("RGB", SIZE, "#ffffff")
    for radius, strength in ((420, 20), (300, 26), (190, 34)):
        mask = Image.new("L", SIZE, 0)
        ImageDraw.Draw(mask).ellipse([600 - radius, 320 - radius, 600 + radius, 320 + radius], fill=strength)
        image.paste(light, (0, 0), mask)


def _write(image: Image.Image, picture: Picture) -> None:
    draw = ImageDraw.Draw(image)
    ink = ImageColor.getrgb("#ffffff")
    # The font that comes with Pillow has no Chinese characters: such words stay with the text of the post.
    if picture.word.isascii():
        # In the middle, which is what a square thumbnail keeps.
        draw.text((600, 340), picture.word, fill=ink, font=ImageFont.load_default(124), anchor="mm")
        draw.text((600, 440), picture.line, fill=ink, font=ImageFont.load_default(38), anchor="mm")
