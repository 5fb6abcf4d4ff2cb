// Sorting, filtering, copying, opening what a link points at. The page works without it.
(function () {
  "use strict";
  var announce = document.getElementById("announce");

  function say(text) { if (announce) { announce.textContent = text; } }

  function valueOf(row, column) {
    var cell = row.cells[column];
    var raw = cell.getAttribute("data-v");
    if (raw === null) { return { number: null, text: cell.textContent.trim().toLowerCase() }; }
    var number = parseFloat(raw);
    return { number: isNaN(number) ? null : number, text: null };
  }

  function compare(a, b, sign) {
    if (a.text !== null) { return sign * (a.text < b.text ? -1 : a.text > b.text ? 1 : 0); }
    if (a.number === null || b.number === null) {
      return (a.number === null ? 1 : 0) - (b.number === null ? 1 : 0);
    }
    return sign * (a.number - b.number);
  }

  function sort(table, header, column) {
    var numeric = header.classList.contains("n");
    var current = header.getAttribute("aria-sort");
    var first = numeric ? "descending" : "ascending";
    var other = numeric ? "ascending" : "descending";
    var direction = current === first ? other : first;
    var sign = direction === "ascending" ? 1 : -1;
    var body = table.tBodies[0];
    var rows = Array.prototype.map.call(body.rows, function (row) {
      return { row: row, value: valueOf(row, column) };
    });
    rows.sort(function (a, b) { return compare(a.value, b.value, sign); });
    var sorted = document.createDocumentFragment();
    rows.forEach(function (entry) { sorted.appendChild(entry.row); });
    body.appendChild(sorted);
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell) {
      cell.removeAttribute("aria-sort");
    });
    header.setAttribute("aria-sort", direction);
    say("Sorted by " + header.textContent.trim() + ", " + direction);
  }

  document.querySelectorAll("table[data-sortable]").forEach(function (table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (header, column) {
      if (header.hasAttribute("data-unsortable")) { return; }
      var button = document.createElement("button");
      button.type = "button";
      while (header.firstChild) { button.appendChild(header.firstChild); }
      header.appendChild(button);
      button.addEventListener("click", function () { sort(table, header, column); });
    });
  });

  var filter = document.getElementById("filter");
  if (filter) {
    var rows = document.querySelectorAll("table.statements > tbody > tr");
    var matches = document.getElementById("matches");
    filter.parentElement.hidden = false;
    filter.addEventListener("input", function () {
      var words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      var shown = 0;
      rows.forEach(function (row) {
        var text = row.textContent.toLowerCase();
        var fits = words.every(function (word) { return text.indexOf(word) !== -1; });
        row.hidden = !fits;
        shown += fits ? 1 : 0;
      });
      matches.textContent = words.length ? shown + " of " + rows.length : "";
    });
  }

  function select(element) {
    var range = document.createRange();
    range.selectNodeContents(element);
    var selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  function copied(button, done) {
    button.textContent = done ? "Copied" : "Selected";
    say(done ? "Copied" : "Selected, press the copy keys");
    window.setTimeout(function () { button.textContent = "Copy"; }, 2000);
  }

  function copy(code, button) {
    var fallback = function () {
      select(code);
      copied(button, document.execCommand("copy"));
    };
    if (navigator.clipboard && navigator.clipboard.writeText) {
      navigator.clipboard.writeText(code.textContent).then(function () { copied(button, true); }, fallback);
    } else {
      fallback();
    }
  }

  document.querySelectorAll("pre[data-copy]").forEach(function (block) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    block.insertBefore(button, block.firstChild);
    button.addEventListener("click", function () { copy(block.querySelector("code"), button); });
  });

  function reveal() {
    var id = "";
    try { id = decodeURIComponent(window.location.hash.slice(1)); } catch (error) { return; }
    var target = id ? document.getElementById(id) : null;
    if (!target) { return; }
    for (var up = target; up; up = up.parentElement) {
      if (up.tagName === "DETAILS") { up.open = true; }
    }
    if (target.hidden) { target.hidden = false; }
    target.querySelectorAll("details").forEach(function (fold) { fold.open = true; });
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  reveal();

  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = Array.prototype.filter.call(document.querySelectorAll("details"), function (fold) { return !fold.open; });
    folded.forEach(function (fold) { fold.open = true; });
  });
  window.addEventListener("afterprint", function () {
    folded.forEach(function (fold) { fold.open = false; });
    folded = [];
  });
})();
