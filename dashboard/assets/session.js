/* A session may end while a page is open: say so, and leave what was written where it is. */
(function () {
  "use strict";
  var ask = window.fetch;
  function tell(isOut) {
    var banner = document.getElementById("signed-out");
    if (banner) banner.hidden = !isOut;
  }
  window.fetch = function () {
    return ask.apply(this, arguments).then(function (answer) {
      if (answer.status === 401) tell(true);
      else if (answer.ok) tell(false);
      return answer;
    });
  };
})();
