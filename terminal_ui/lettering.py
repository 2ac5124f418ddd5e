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
    # Signs: an open ring, a solid disc, and bars of sound.
    "○": " #### |##  ##|#    #|#    #|##  ##| #### ",
    "●": " #### |######|######|######|######| #### ",
    "≋": "   ##      |   ## ##   |## ## ## ##|## ## ## ##|   ## ##   |   ##      ",
    "·": "  |  |  |##|##|  ",
}
_TALL = 6


def width(word: str, scale: int = 1) -> int:
    """Columns that `write` will take."""
    return len(_rows(word)[0]) * scale


def write(word: str, scale: int = 1) -> list[str]:
    """The word in lines of half-blocks, 3 lines tall at scale 1; every character must be in the font."""
    pixels = ["".join(pixel * scale for pixel in row) for row in _rows(word) for _ in range(scale)]
    return [
        "".join(" ▄▀█"[2 * (up == "#") + (down == "#")] for up, down in zip(upper, lower, strict=True))
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True)
    ]


def _rows(word: str) -> list[str]:
    glyphs = [_LETTERS[letter].split("|") for letter in word]
    return [" ".join(glyph[row] for glyph in glyphs) for row in range(_TALL)]
