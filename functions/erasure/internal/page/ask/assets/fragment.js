// The pages work without this: it takes number and code out of the link's fragment, which no server sees, and puts them
// into the form. Nothing is sent before the person does.
"use strict";
(() => {
  const [number, code] = location.hash.slice(1).split(".");
  if (!number || !code) return;
  const form = document.querySelector("form[data-fragment]");
  if (!form) {
    location.replace("/requesterasure/confirm" + location.hash);
    return;
  }
  form.elements.number.value = number;
  form.elements.code.value = code;
  form.hidden = false;
  history.replaceState(null, "", location.pathname + location.search);
})();
