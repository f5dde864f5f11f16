// The letters beyond ASCII that have one upper and one lower form: SQLite's own upper() and lower()
// know only those of ASCII.

/** @returns {{ upper: string, lower: string }} where one stands at the place of the other */
function pairs() {
  let upper = "";
  let lower = "";
  for (let code = 128; code < 0x1e944; code++) {
    // Surrogates are no characters, and Hangul, Han and the private ones have no case.
    if (code === 0x3400) code = 0xa640;
    if (code === 0xac00) code = 0xfb00;
    const letter = String.fromCodePoint(code);
    const small = letter.toLowerCase();
    if (small === letter || [...small].length !== 1 || small.codePointAt(0) === undefined) continue;
    if (small.toUpperCase() !== letter) continue;
    upper += letter;
    lower += small;
  }
  return { upper, lower };
}

/** @type {ReturnType<typeof pairs> | undefined} */
let made;

export const letterPairs = () => (made ??= pairs());
