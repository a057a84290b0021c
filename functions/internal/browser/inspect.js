// What is wrong with this page for somebody who reads, hears or types it; one line a fault. It checks what can be
// computed: names, structure, room, contrast. Whether the order makes sense a person must judge.
(width, lang, colours) => {
  const faults = [], fault = (what, el) => faults.push(el ? `${what}: ${el.outerHTML.slice(0, 120)}` : what);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (el) => el.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && el.getClientRects().length > 0;

  if (document.documentElement.lang !== lang) fault(`lang is ${document.documentElement.lang}`);
  if (!document.title.trim()) fault("no title");
  for (const [selector, count] of [["h1", 1], ["main", 1], ["body > header", 1], ["body > footer", 1]])
    if (all(selector).length !== count) fault(`${all(selector).length} of ${selector}`);
  let level = 0;
  for (const h of all("h1, h2, h3, h4")) {
    if (Number(h.tagName[1]) > level + 1) fault("heading level skipped", h);
    level = Number(h.tagName[1]);
  }
  const ids = all("[id]").map((el) => el.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) fault(`id ${id} twice`);
  for (const name of ["aria-describedby", "aria-labelledby"])
    for (const el of all(`[${name}]`))
      for (const id of el.getAttribute(name).split(" ")) if (!document.getElementById(id)?.textContent.trim()) fault(`${name} leads nowhere`, el);
  for (const el of all("input:not([type=hidden]), select, textarea"))
    if (![...el.labels].some((l) => l.textContent.trim()) && !el.getAttribute("aria-label")) fault("no label", el);
  for (const el of all("button, a[href], summary")) if (!el.textContent.trim() && !el.getAttribute("aria-label")) fault("no name", el);
  for (const el of all("img:not([alt])")) fault("no alternative", el);
  for (const el of all("nav, [role=img]")) if (!el.getAttribute("aria-label")) fault("no name", el);
  for (const el of all("body [style], body [onclick]")) fault("inline style or script", el);

  if (document.scrollingElement.scrollWidth > width) fault(`${document.scrollingElement.scrollWidth} px wide in ${width}`);
  for (const el of all("h1, h2, p, li, label, button, summary, .button, .chip")) {
    if (!shown(el)) continue;
    const box = el.getBoundingClientRect();
    if (el.scrollWidth > el.clientWidth + 1 && el.clientWidth > 0) fault("text runs out of its box", el);
    if (box.right > width + 1) fault("runs out of the window", el);
  }
  for (const el of all("button, .button, select, input:not([type=hidden]):not([type=radio]):not([type=checkbox])"))
    if (shown(el) && el.getBoundingClientRect().height < 44) fault("lower than 44 px", el);
  for (const el of all("summary, input[type=radio], input[type=checkbox], .foot a"))
    if (shown(el) && el.getBoundingClientRect().height < 22) fault("lower than 22 px", el);
  for (const el of all(".qr")) if (el.getBoundingClientRect().width < 200) fault("QR code smaller than 200 px");

  if (!colours) return faults;
  const colour = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const ground = (el) => {
    const layers = [];
    for (let e = el; e; e = e.parentElement) {
      layers.unshift(colour(getComputedStyle(e).backgroundColor));
    }
    return layers.reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = words.nextNode(); n; n = words.nextNode()) {
    const el = n.parentElement;
    if (!n.textContent.trim() || !shown(el) || el.closest("noscript, option, :disabled")) continue;
    const back = ground(el), ratio = contrast(over(colour(getComputedStyle(el).color), back), back);
    if (ratio < 4.5) fault(`contrast ${ratio.toFixed(2)}`, el);
  }
  for (const el of all("input:not([type=hidden]), select, .button, button")) {
    if (!shown(el) || el.disabled || el.matches("[type=radio], [type=checkbox]")) continue;
    const ratio = contrast(colour(getComputedStyle(el).borderTopColor), ground(el.parentElement));
    if (ratio < 3) fault(`contrast of the border ${ratio.toFixed(2)}`, el);
  }
  return faults;
}
