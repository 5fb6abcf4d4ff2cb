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

  // Long lists begin short: their class hides what is behind the first rows, whatever their order.
  function shorten(list, number, what) {
    if (number <= parseInt(list.getAttribute("data-first") || "0", 10)) { return; }
    var button = document.createElement("button");
    button.type = "button";
    button.className = "more";
    button.textContent = "Show all " + number + " " + what;
    button.addEventListener("click", function () { unfold(list); });
    (list.tagName === "TABLE" ? list.parentElement : list).insertAdjacentElement("afterend", button);
    list.moreButton = button;
  }

  function unfold(list) {
    list.classList.remove("few");
    if (list.moreButton) { list.moreButton.hidden = true; }
  }

  document.querySelectorAll("[data-first]").forEach(function (list) {
    var rows = list.tagName === "TABLE" ? list.tBodies[0].rows : list.children;
    shorten(list, rows.length, list.getAttribute("data-what"));
  });

  var filter = document.getElementById("filter");
  if (filter) {
    var table = document.querySelector("table.statements");
    var texts = null;
    var matches = document.getElementById("matches");
    filter.parentElement.hidden = false;
    filter.addEventListener("input", function () {
      var words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      texts = texts || Array.prototype.map.call(table.tBodies[0].rows, function (row) {
        return { row: row, text: (row.textContent + " " + row.id).toLowerCase() };
      });
      var shown = 0;
      if (words.length) { unfold(table); }
      texts.forEach(function (one) {
        var fits = words.every(function (word) { return one.text.indexOf(word) !== -1; });
        one.row.hidden = !fits;
        shown += fits ? 1 : 0;
      });
      matches.textContent = words.length ? shown + " of " + texts.length : "";
    });
  }

  var chooser = document.querySelector("[data-finding-filters]");
  function choose() {
    var cards = document.querySelectorAll("article.finding");
    var shown = 0;
    var chosen = Array.prototype.filter.call(chooser.querySelectorAll("select"), function (one) { return one.value; });
    if (chosen.length) { unfold(cards[0].parentElement); }
    cards.forEach(function (card) {
      card.hidden = !chosen.every(function (one) {
        return card.getAttribute("data-" + one.getAttribute("data-by")) === one.value;
      });
      shown += card.hidden ? 0 : 1;
    });
    document.getElementById("findings-shown").textContent = chosen.length ? shown + " of " + cards.length : "";
  }
  if (chooser) {
    chooser.hidden = false;
    chooser.addEventListener("change", choose);
    document.querySelectorAll("a[data-status], a[data-severity]").forEach(function (link) {
      link.addEventListener("click", function () {
        chooser.querySelectorAll("select").forEach(function (one) {
          one.value = link.getAttribute("data-" + one.getAttribute("data-by")) || "";
          if (one.selectedIndex < 0) { one.value = ""; }
        });
        choose();
      });
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
    var name = button.textContent;
    button.textContent = done ? "Copied" : "Selected";
    say(done ? "Copied" : "Selected, press the copy keys");
    window.setTimeout(function () { button.textContent = name; }, 2000);
  }

  function copyText(text, button, shownBy) {
    var fallback = function () {
      var block = shownBy;
      if (!block) {
        block = document.createElement("pre");
        block.className = "copied-text";
        block.textContent = text;
        button.insertAdjacentElement("afterend", block);
      }
      select(block);
      var done = document.execCommand("copy");
      if (done && !shownBy) { block.remove(); }
      copied(button, done);
    };
    if (navigator.clipboard && navigator.clipboard.writeText) {
      navigator.clipboard.writeText(text).then(function () { copied(button, true); }, fallback);
    } else {
      fallback();
    }
  }

  function button(label, name, click) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "copy";
    made.textContent = label;
    if (name) { made.setAttribute("aria-label", name); }
    made.addEventListener("click", function () { click(made); });
    return made;
  }

  // What is folded gets its buttons when it is opened: a page of thousands would load later.
  function addCopy(block) {
    if (block.querySelector(".copy") || !block.querySelector("code")) { return; }
    block.insertBefore(button("Copy", "", function (made) {
      var code = block.querySelector("code");
      copyText(code.textContent, made, code);
    }), block.firstChild);
  }
  document.querySelectorAll("pre").forEach(function (block) {
    if (!block.closest("details:not([open])")) { addCopy(block); }
  });
  document.addEventListener("toggle", function (event) {
    var fold = event.target;
    fold.querySelectorAll("pre").forEach(addCopy);
    var row = fold.closest("table.statements tbody tr");
    if (row && !fold.querySelector(":scope > .copy")) {
      fold.appendChild(button("Copy as Markdown", "", function (pressed) { copyText(statementText(row), pressed); }));
    }
  }, true);

  // Markdown of the page and of its findings, by lines: what `--format markdown` writes.
  var island = document.getElementById("markdown");
  var lines = null;
  function markdown(from, number) {
    lines = lines || island.content.textContent.split("\n");
    return lines.slice(from, from + number).join("\n");
  }
  if (island) {
    var place = document.getElementById("copy-page");
    place.appendChild(button("Copy as Markdown", "Copy the report as Markdown", function (made) {
      copyText(markdown(0, parseInt(island.getAttribute("data-lines"), 10)), made);
    }));
    document.querySelectorAll("[data-md]").forEach(function (card) {
      var span = card.getAttribute("data-md").split(",").map(Number);
      card.querySelector(".meta").appendChild(button("Copy as Markdown", "", function (made) {
        copyText(markdown(span[0], span[1]), made);
      }));
    });
  }

  function cell(text) {
    return text.replace(/[\u2195\u2193\u2191]/g, "").replace(/\s+/g, " ").trim().replace(/([\\`*_\[\]|~$<>&])/g, "\\$1");
  }

  function statementText(row) {
    var code = row.querySelector("pre code").textContent;
    var longest = (code.match(/`+/g) || []).reduce(function (most, run) { return Math.max(most, run.length); }, 2);
    var fence = new Array(longest + 2).join("`");
    var heads = [];
    var values = [];
    Array.prototype.forEach.call(row.closest("table").tHead.rows[0].cells, function (head, column) {
      var text = cell(row.cells[column].textContent);
      if (column && text) { heads.push(cell(head.textContent)); values.push(text); }
    });
    return ["### Statement `" + row.id.slice(2).replace(/[^\w.-]/g, "") + "`", "", fence + "sql", code, fence, "",
      "| " + heads.join(" | ") + " |", "|" + heads.map(function () { return "---:"; }).join("|") + "|",
      "| " + values.join(" | ") + " |", ""].join("\n");
  }

  function reveal() {
    var id = "";
    try { id = decodeURIComponent(window.location.hash.slice(1)); } catch (error) { return; }
    var target = id ? document.getElementById(id) : null;
    if (!target) { return; }
    for (var up = target; up; up = up.parentElement) {
      if (up.tagName === "DETAILS") { up.open = true; }
      if (up.classList.contains("few")) { unfold(up); }
      if (up.hidden) { up.hidden = false; }
    }
    if (target.tagName !== "SECTION") {
      target.querySelectorAll("details").forEach(function (fold) { fold.open = true; });
    }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  document.addEventListener("click", function (event) {
    var link = event.target.closest ? event.target.closest("a[href^='#']") : null;
    if (link && link.getAttribute("href") === window.location.hash) { reveal(); }
  });
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
