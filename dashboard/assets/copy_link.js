/* Copies the address of the page as it is. Without a clipboard the link stays what it is: a link to that address. */
(function () {
  "use strict";
  var link = document.getElementById("copy-link");
  if (!link || !navigator.clipboard) return;
  var told = link.parentNode.querySelector("[role=status]");
  link.addEventListener("click", function (event) {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    told.textContent = "";
    navigator.clipboard.writeText(link.href + window.location.hash).then(
      function () { told.textContent = told.dataset.done; },
      function () { window.location.assign(link.href); }
    );
  });
})();
