"use strict";
// The page is complete without this script: it only changes which sentences are marked, and moves between them.
// Text is only ever set as text; the page's policy (Trusted Types) would refuse anything else.
(() => {
  const byId = (id) => document.getElementById(id);
  const slider = byId("threshold"), said = byId("threshold-text"), search = byId("search"), hitCount = byId("hits"), card = byId("card");
  const toggles = [...document.querySelectorAll(".toggles input")];
  const labels = toggles.map((input) => ({ slot: input.dataset.slot, letter: input.dataset.letter, title: input.dataset.title, judges: "judges" in input.dataset, input }));
  const cells = [...document.querySelectorAll(".cell")].map((element) => ({
    element,
    total: Number(element.dataset.total),
    count: Number(element.dataset.count),
    bins: element.dataset.bins.split(" ").filter(Boolean).map((bin) => bin.split(":").map(Number)),
    part: element.querySelector(".part"), percent: element.querySelector(".percent"), number: element.querySelector(".count"),
  }));
  const sentences = [...document.querySelectorAll(".s")].map((element, index) => {
    element.tabIndex = -1;
    const scores = (element.dataset.scores || "").split(" ").map((score) => (score === "" ? -1 : Number(score)));
    return { element, index, scores, decided: element.dataset.on, on: element.dataset.on, found: false, text: null };
  });
  const places = new Map(sentences.map((sentence) => [sentence.element, sentence]));
  let current = -1, shown = null;

  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  /** Hundredths from which a sentence is marked; null where the model's own decision stands. */
  const threshold = () => (slider.value === slider.min ? null : Number(slider.value));

  // --- marks, figures ---------------------------------------------------------------------------------------------

  function marksOf(sentence, from) {
    const decided = sentence.decided.split(" ");
    const carries = ({ slot }) => (from === null ? decided.includes(slot) : sentence.scores[slot] >= from * 100);
    return labels.filter((label) => label.input.checked && carries(label));
  }

  function tag(sentence, marks) {
    const next = sentence.element.nextElementSibling;
    const tags = next && next.localName === "sup" ? next : make("sup");
    if (tags !== next) sentence.element.after(tags);
    tags.replaceChildren();
    for (const label of marks) {
      const letter = make("b", "", label.letter);
      letter.dataset.slot = label.slot;
      tags.append(letter);
      if (label.judges && sentence.element.dataset.kind) tags.append(make("em", "", sentence.element.dataset.kind));
    }
    if (!marks.length) tags.remove();
  }

  function mark() {
    const from = threshold();
    for (const sentence of sentences) {
      const marks = marksOf(sentence, from);
      const on = marks.map((label) => label.slot).join(" ");
      if (on === sentence.on) continue;
      sentence.on = sentence.element.dataset.on = on;
      tag(sentence, marks);
    }
    for (const cell of cells) {
      const count = from === null ? cell.count : cell.bins.reduce((sum, [score, n]) => (score >= from ? sum + n : sum), 0);
      const percent = cell.total ? (100 * count) / cell.total : 0;
      cell.number.textContent = count;
      cell.percent.textContent = `${percent.toFixed(percent >= 9.95 || !percent ? 0 : 1)}%`;
      cell.part.setAttribute("width", percent.toFixed(2));
    }
    said.textContent = from === null ? "as the model decided" : `score ≥ ${(from / 100).toFixed(2)}`;
    byId("state").textContent = said.textContent; // it is printed; the slider is not
    slider.setAttribute("aria-valuetext", said.textContent);
    sayHits();
  }

  // --- search and hits --------------------------------------------------------------------------------------------

  const query = () => (search ? search.value.trim().replace(/\s+/g, " ").toLowerCase() : "");

  /** The characters [start, end) of an element as a range; they may lie in several nodes. */
  function rangeIn(element, start, end) {
    const range = document.createRange(), walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let seen = 0, begun = false;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const length = node.data.length;
      if (!begun && start < seen + length) { range.setStart(node, start - seen); begun = true; }
      if (begun && end <= seen + length) { range.setEnd(node, end - seen); return range; }
      seen += length;
    }
    return null;
  }

  function find() {
    const wanted = query(), ranges = [];
    for (const sentence of sentences) {
      sentence.text ??= sentence.element.textContent.replace(/\s/g, " ").toLowerCase();
      sentence.found = wanted !== "" && sentence.text.includes(wanted);
      sentence.element.classList.toggle("hit", sentence.found);
      for (let at = sentence.found ? sentence.text.indexOf(wanted) : -1; at >= 0; at = sentence.text.indexOf(wanted, at + wanted.length)) {
        const range = rangeIn(sentence.element, at, at + wanted.length);
        if (range) ranges.push(range);
      }
    }
    if (globalThis.Highlight && CSS.highlights) CSS.highlights.set("search", new Highlight(...ranges.slice(0, 20000)));
    sayHits();
  }

  const isHit = (sentence) => (query() ? sentence.found : sentence.on !== "");

  function sayHits() {
    if (!hitCount) return;
    const hits = sentences.filter(isHit), at = hits.findIndex((sentence) => sentence.index === current);
    hitCount.textContent = at >= 0 ? `${at + 1} of ${hits.length}` : `${hits.length} ${query() ? "found" : "marked"}`;
  }

  /** Make a sentence the current one, or none. */
  function settle(sentence) {
    if (current >= 0) sentences[current].element.classList.remove("current");
    current = sentence ? sentence.index : -1;
    if (sentence) sentence.element.classList.add("current");
    rest();
    sayHits();
  }

  /** Go to the next sentence (step 1) or the one before (-1) that is wanted, round the ends of the page. */
  function go(step, wanted) {
    const count = sentences.length;
    const start = current < 0 && step < 0 ? 0 : current;
    for (let i = 1; i <= count; i++) {
      const sentence = sentences[(start + step * i + 2 * count) % count];
      if (!wanted(sentence)) continue;
      const come = () => sentence.element.scrollIntoView({ block: "center" });
      come();
      requestAnimationFrame(() => { come(); place(); }); // what came into view has its true height only now
      if (document.activeElement !== search) sentence.element.focus({ preventScroll: true });
      settle(sentence);
      return;
    }
  }

  // --- the card with the scores -----------------------------------------------------------------------------------

  function scoreRow(sentence, label) {
    const score = sentence.scores[label.slot];
    if (score === undefined || score < 0) return [];
    const row = make("p", `score ${sentence.on.split(" ").includes(label.slot) ? "on" : "off"}`);
    const letter = make("b", "", label.letter), bar = byId("card-bar").content.firstElementChild.cloneNode(true);
    letter.dataset.slot = bar.dataset.slot = label.slot;
    bar.querySelector(".part").setAttribute("width", (score / 100).toFixed(2));
    row.append(letter, make("span", "", label.title), bar, make("span", "", (score / 10000).toFixed(2)));
    const words = new Map();
    for (const part of sentence.element.querySelectorAll(`.e[data-slot="${label.slot}"]`)) {
      const known = words.get(part.dataset.number);
      words.set(part.dataset.number, { text: (known ? known.text : "") + part.textContent, voice: part.dataset.voice });
    }
    const evidence = [...words.values()].map(({ text, voice }) => make("p", "evidence", voice === "quoted" ? `“${text}”, quoted` : text));
    return [row, ...evidence];
  }

  function show(sentence) {
    const { dataset } = sentence.element;
    card.replaceChildren();
    if (dataset.scores === undefined) card.append(make("p", "", "Site furniture: carries no label and counts in no figure."));
    else for (const label of labels) card.append(...scoreRow(sentence, label));
    if (dataset.kind) card.append(make("p", "evidence", `Judges the claim: ${dataset.kind}.`));
    if (dataset.truncated !== undefined) card.append(make("p", "evidence", "Longer than the model reads: its end was not read."));
    card.hidden = false;
    shown = sentence;
    place();
    sentence.element.setAttribute("aria-describedby", "card");
  }

  /** Put the card beside its sentence, where there is a margin; elsewhere the style keeps it at the bottom. */
  function place() {
    if (!card.hidden) card.style.setProperty("--top", `${shown.element.getBoundingClientRect().top + scrollY}px`);
  }

  const rest = () => (current >= 0 ? show(sentences[current]) : (card.hidden = true));
  const sentenceAt = (target) => places.get(target instanceof Element ? target.closest(".s") : null);

  document.addEventListener("mouseover", (event) => { const sentence = sentenceAt(event.target); if (sentence) show(sentence); });
  document.addEventListener("mouseout", (event) => { if (sentenceAt(event.target)) rest(); });
  document.addEventListener("scroll", place, { passive: true });
  addEventListener("resize", place);
  document.addEventListener("focusin", (event) => { const sentence = sentenceAt(event.target); if (sentence) settle(sentence); });
  document.addEventListener("click", (event) => { if (!event.target.closest(".s, .controls")) settle(null); });

  // --- controls ---------------------------------------------------------------------------------------------------

  const keys = {
    n: () => go(1, isHit),
    p: () => go(-1, isHit),
    j: () => go(1, () => true),
    k: () => go(-1, () => true),
    "/": () => search.focus(),
    Escape: () => { search.value = ""; find(); document.activeElement.blur(); settle(null); },
  };

  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  slider.addEventListener("input", mark);
  for (const input of toggles) input.addEventListener("change", mark);
  if (search) {
    search.addEventListener("input", find);
    byId("next").addEventListener("click", keys.n);
    byId("previous").addEventListener("click", keys.p);
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const typing = event.target === search;
      if (typing && event.key === "Enter") { event.preventDefault(); go(event.shiftKey ? -1 : 1, isHit); return; }
      if (typing && event.key !== "Escape") return;
      const label = labels[Number(event.key) - 1];
      if (label) { label.input.checked = !label.input.checked; mark(); }
      else if (Object.hasOwn(keys, event.key)) { event.preventDefault(); keys[event.key](); }
    });
  }
  mark(); // a browser may bring back the controls as they were left
})();
