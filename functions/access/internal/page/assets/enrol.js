// The page works without this: it takes an enrolment code out of the link's fragment, which no server sees, and
// offers to print the recovery codes.
"use strict";
(() => {
  const token = new URLSearchParams(location.hash.slice(1)).get("enrol");
  const field = document.getElementById("token");
  if (token && field) {
    field.value = token;
    document.getElementById("token-box").open = true;
    history.replaceState(null, "", location.pathname + location.search);
  }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
})();
