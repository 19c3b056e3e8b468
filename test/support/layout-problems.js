/** Pixels that text may overflow, because browsers round boxes. */
const TOLERANCE = 1;

/** Pixels. Smaller text is unreadable on a phone. */
const SMALLEST_TEXT = 9;

/** A word of up to this many letters fits on any line, so it must not break. */
const SHORT_WORD = 14;

/** Runs in the page. The last line is the return value; see `page-layout.ts`. */
function layoutProblems() {
  const root = document.documentElement;
  const problems = new Set();
  const texts = [];

  if (root.scrollWidth > root.clientWidth) {
    problems.add(`the page is ${root.scrollWidth - root.clientWidth} px wider than its window`);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent.trim();
    if (text === '' || !isShown(node.parentElement)) continue;
    const what = `"${text.slice(0, 40)}"`;
    for (const box of boxesOf(node, 0, node.length)) {
      checkPlace(what, box, node.parentElement);
      if (box.height < SMALLEST_TEXT) problems.add(`${what} is ${box.height.toFixed(1)} px high`);
      texts.push({ what, of: node, box: visiblePart(box, node.parentElement) });
    }
    for (const { 0: word, index } of node.textContent.matchAll(/[^\s-]+/g)) {
      const lines = new Set(boxesOf(node, index, index + word.length).map(({ top }) => Math.round(top)));
      if (word.length <= SHORT_WORD && lines.size > 1) problems.add(`the word "${word}" breaks`);
    }
  }
  checkOverlaps(texts);

  const controls = [...document.querySelectorAll('button, input, img, svg, .button')].filter(isShown);
  const boxes = controls.map((element, index) => ({
    what: `${nameOf(element)} ${index}`,
    of: element,
    box: element.getBoundingClientRect(),
  }));
  for (const { what, of, box } of boxes) checkPlace(what, box, of.parentElement);
  checkOverlaps(
    boxes.filter(({ of }) => of.matches('button, input')).map((one) => ({ ...one, box: visiblePart(one.box, one.of) })),
  );
  return [...problems];

  function checkPlace(what, box, element) {
    // The skip link is above the window until it has focus.
    if (box.bottom <= 0) return;
    for (const one of ancestors(element)) {
      const { overflowX, textOverflow } = getComputedStyle(one);
      if (scrolls(one)) return;
      const isShortened = textOverflow === 'ellipsis' && one.hasAttribute('title');
      if (isShortened) return;
      if ((overflowX !== 'visible' || isDrawn(one)) && isOutside(box, one.getBoundingClientRect())) {
        problems.add(`${what} overflows ${nameOf(one)}`);
      }
    }
    if (box.left < -TOLERANCE || box.right > root.clientWidth + TOLERANCE) {
      problems.add(`${what} is outside of the window`);
    }
  }

  function checkOverlaps(some) {
    const fromTop = some.toSorted((one, other) => one.box.top - other.box.top);
    for (const [index, { what, of, box }] of fromTop.entries()) {
      for (const other of fromTop.slice(index + 1)) {
        if (other.box.top > box.bottom) break;
        const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        // Text boxes are higher than the line height of headings.
        const least = Math.min(box.bottom - box.top, other.box.bottom - other.box.top) / 4;
        if (of !== other.of && wide > TOLERANCE && high > Math.max(least, TOLERANCE)) {
          problems.add(`${what} overlaps ${other.what}`);
        }
      }
    }
  }

  function boxesOf(node, start, end) {
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, end);
    return [...range.getClientRects()].filter(({ width }) => width > 0);
  }

  /** The part of a box that its scroll containers show. */
  function visiblePart(box, element) {
    let { left, right, top, bottom } = box;
    for (const one of ancestors(element)) {
      if (getComputedStyle(one).overflowX === 'visible') continue;
      const clip = one.getBoundingClientRect();
      left = Math.max(left, clip.left);
      right = Math.min(right, clip.right);
      top = Math.max(top, clip.top);
      bottom = Math.min(bottom, clip.bottom);
    }
    return { left, right, top, bottom };
  }

  function isOutside(inner, outer) {
    return (
      inner.left < outer.left - TOLERANCE ||
      inner.right > outer.right + TOLERANCE ||
      inner.top < outer.top - TOLERANCE ||
      inner.bottom > outer.bottom + TOLERANCE
    );
  }

  function isShown(element) {
    // Text for screen readers is clipped.
    return element.checkVisibility() && ancestors(element).every((one) => getComputedStyle(one).clipPath === 'none');
  }

  function isDrawn(element) {
    const { backgroundColor, borderLeftWidth, display } = getComputedStyle(element);
    const isPainted = backgroundColor !== 'rgba(0, 0, 0, 0)' || Number.parseFloat(borderLeftWidth) > 0;
    return display !== 'inline' && (isPainted || element.localName === 'svg');
  }

  function scrolls(element) {
    return /auto|scroll/.test(getComputedStyle(element).overflowX);
  }

  function ancestors(element) {
    const found = [];
    for (let one = element; one !== null && one !== root; one = one.parentElement) found.push(one);
    return found;
  }

  function nameOf(element) {
    return [element.localName, ...element.classList].join('.');
  }
}

layoutProblems();
