"""The page of the blind listening test: what a listener sees, plays and fills in; it names nobody.

It works as a file, without a server: choices are remembered by the browser until they are saved as `choices-NAME.json`.
"""

from collections.abc import Sequence
from html import escape

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Duet: which answer fits?</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
fieldset { margin: 1.5rem 0; border: 1px solid #bbb; border-radius: 6px }
.side { display: flex; gap: .8rem; align-items: center; margin: .5rem 0; flex-wrap: wrap }
.side b { width: 2.2rem }
audio { height: 2.2rem; width: 17rem }
#said { margin-left: 1rem }
</style>
<h1>Which answer fits what was played?</h1>
<p>Someone plays for ten seconds: the call. Then somebody goes on; one of the answers to each call is what was
really played next. Listen to the call, then to its answers: <q>after the call</q> plays both in a row. Say how well
each goes on from the call, 1 not at all, 5 as if the same player went on, and choose the one that fits best. All are
equally loud and fade out after ten seconds; the order was drawn by lot. Takes TIME.</p>
<p>What you choose stays in this browser until you save it at the end.</p>
<form id="test">
<p><label>Your name or a pseudonym <input name="listener" autocomplete="off"></label></p>
CALLS
<p><button>Save my choices</button><output id="said"></output></p>
</form>
<script>
const form = document.getElementById("test"), said = document.getElementById("said"), test = "TEST";
const sounds = [...document.querySelectorAll("audio")];
let next = null;
function stopOthers(sound) { for (const other of sounds) if (other !== sound) other.pause(); }
for (const sound of sounds) {
  sound.addEventListener("play", () => { stopOthers(sound); if (next && sound !== next.call) next = null; });
  sound.addEventListener("ended", () => {
    if (!next || next.call !== sound) return;
    const answer = next.answer;
    next = null;
    answer.currentTime = 0;
    answer.play();
  });
}
for (const button of document.querySelectorAll("button[data-answer]")) button.addEventListener("click", () => {
  const call = button.closest("fieldset").querySelector("audio");
  next = {call, answer: document.getElementById(button.dataset.answer)};
  call.currentTime = 0;
  call.play();
});
for (const [name, value] of Object.entries(JSON.parse(localStorage.getItem("duet-" + test) || "{}"))) {
  const field = form.elements[name];
  if (field) field.value = value;
}
form.addEventListener("input", () => {
  localStorage.setItem("duet-" + test, JSON.stringify(Object.fromEntries(new FormData(form))));
});
form.addEventListener("submit", event => {
  event.preventDefault();
  const missing = [...form.querySelectorAll("fieldset")].filter(
    call => !call.querySelector("input[type=radio]:checked"));
  if (missing.length) {
    said.value = "Best answer still to choose: call " + missing.map(call => call.dataset.call).join(", ");
    missing[0].scrollIntoView();
    return;
  }
  const choices = Object.fromEntries(new FormData(form));
  const file = new Blob([JSON.stringify({test, choices}, null, 1)], {type: "application/json"});
  const name = (choices.listener || "").replace(/[^A-Za-z0-9]+/g, "-");
  const link = Object.assign(document.createElement("a"),
    {href: URL.createObjectURL(file), download: name ? `choices-${name}.json` : "choices.json"});
  link.click();
  said.value = "Saved as " + link.download + ". Thank you: give that file to whoever asked you.";
});
</script>
</html>
"""
CALL = """<fieldset data-call="NUMBER"><legend>Call NUMBER</legend>
<div class="side"><b>Call</b> <audio controls preload="none" src="FOLDER/call.flac"></audio>
<a href="FOLDER/call.mid">MIDI</a></div>
ANSWERS</fieldset>
"""
ANSWER = """<div class="side"><b>LETTER</b>
<audio controls preload="none" id="sound-NUMBER-LETTER" src="FOLDER/LETTER.flac"></audio>
<button type="button" data-answer="sound-NUMBER-LETTER">after the call</button>
<a href="FOLDER/LETTER.mid">MIDI</a>
<label>fits <select name="fit-NUMBER-LETTER"><option value="">1–5</option>MARKS</select></label>
<label><input type="radio" name="best-NUMBER" value="LETTER"> best</label></div>
"""
MARKS = "".join(f"<option>{mark}</option>" for mark in range(1, 6))


def _filled(template: str, **values: str) -> str:
    for name, value in values.items():
        template = template.replace(name.upper(), value)
    return template


def section(number: int, folder: str, letters: Sequence[str]) -> str:
    """One call and its answers, whose sounds lie in `folder`."""
    answers = "".join(_filled(ANSWER, letter=letter, marks=MARKS) for letter in letters)
    return _filled(CALL, answers=answers, number=str(number), folder=folder)


def page(test: str, sections: Sequence[str], minutes: float) -> str:
    """The whole page. test: what tells its choices from those of another test; minutes: that the listening takes."""
    time = f"about {minutes:.0f} minutes"
    return _filled(PAGE, test=escape(test), time=time, calls="".join(sections))
