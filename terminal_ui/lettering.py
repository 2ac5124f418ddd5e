"""Letters and signs large enough to read from a piano stool, in half-blocks; pure."""

_LETTERS = {
    "A": " ### |#   #|#   #|#####|#   #|#   #",
    "D": "#### |#   #|#   #|#   #|#   #|#### ",
    "E": "#####|#    |#### |#    |#    |#####",
    "G": " ####|#    |#  ##|#   #|#   #| ### ",
    "H": "#   #|#   #|#####|#   #|#   #|#   #",
    "I": "###| # | # | # | # |###",
    "L": "#    |#    |#    |#    |#    |#####",
    "M": "#   #|## ##|# # #|#   #|#   #|#   #",
    "N": "#   #|##  #|# # #|#  ##|#   #|#   #",
    "O": " ### |#   #|#   #|#   #|#   #| ### ",
    "P": "#### |#   #|#   #|#### |#    |#    ",
    "R": "#### |#   #|#   #|#### |#  # |#   #",
    "S": " ####|#    | ### |    #|    #|#### ",
    "T": "#####|  #  |  #  |  #  |  #  |  #  ",
    "U": "#   #|#   #|#   #|#   #|#   #| ### ",
    "Y": "#   #|#   #| # # |  #  |  #  |  #  ",
    " ": "  |  |  |  |  |  ",
    # Signs: begin, take down, sound; a beat, no beat, a bar's first beat.
    "▶": "##    |####  |######|######|####  |##    ",
    "●": " #### |######|######|######|######| #### ",
    "○": " #### |#    #|#    #|#    #|#    #| #### ",
    "■": "######|######|######|######|######|######",
    "≋": "   ##      |   ## ##   |## ## ## ##|## ## ## ##|   ## ##   |   ##      ",
    "·": "  |  |  |##|##|  ",
}
_TALL = 6


def width(word: str, scale: int = 1) -> int:
    """Columns that `write` will take."""
    return len(_rows(word)[0]) * scale


def write(word: str, scale: int = 1) -> list[str]:
    """The word in half-blocks, with a pixel of air above and below: 4 lines at scale 1."""
    rows = _rows(word)
    air = [" " * len(rows[0])]
    pixels = ["".join(pixel * scale for pixel in row) for row in air + rows + air for _ in range(scale)]
    return [
        "".join(" ▄▀█"[2 * (up == "#") + (down == "#")] for up, down in zip(upper, lower, strict=True))
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True)
    ]


def _rows(word: str) -> list[str]:
    """Rows of pixels; every character of the word must be in the font."""
    glyphs = [_LETTERS[letter].split("|") for letter in word]
    return [" ".join(glyph[row] for glyph in glyphs) for row in range(_TALL)]
