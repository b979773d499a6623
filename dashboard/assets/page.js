/* Shows a page's first content without asking for it again, and draws what only stands there as plain elements. */
(function () {
  "use strict";
  const HTML = "dash_html_components";
  const TAGS = { MapEl: "map", ObjectEl: "object" };

  /* Text and elements without an id: no callback can reach them, so they need none of Dash's bookkeeping. */
  function standsStill(node) {
    if (node === null || typeof node !== "object") return true;
    if (Array.isArray(node)) return node.every(standsStill);
    return node.namespace === HTML && !("id" in node.props) && standsStill(node.props.children);
  }

  function plain(nodes) {
    return { namespace: "rapport", type: "Plain", props: { nodes: nodes } };
  }

  /* The same content with each run of elements that stand still as one component. What has an id stays whole. */
  function gathered(content) {
    const all = [];
    let run = [];
    for (const node of [].concat(content)) {
      if (standsStill(node)) {
        run.push(node);
        continue;
      }
      if (run.length) all.push(plain(run));
      run = [];
      if (node.namespace === HTML && !("id" in node.props)) node.props.children = gathered(node.props.children);
      all.push(node);
    }
    return run.length ? all.concat(plain(run)) : all;
  }

  function element(node) {
    if (node === null || typeof node !== "object") return node;
    if (Array.isArray(node)) return React.createElement(React.Fragment, null, ...node.map(element));
    const { children, ...props } = node.props;
    const tag = TAGS[node.type] || node.type.toLowerCase();
    const inner = Array.isArray(children) ? children.map(element) : children === undefined ? [] : [element(children)];
    return React.createElement(tag, props, ...inner);
  }

  function Plain(props) {
    return element(props.nodes);
  }

  /* The page comes with the shell: its place in the layout is filled before Dash looks at it. */
  function fill(layout) {
    const first = document.getElementById("first");
    if (first === null) return;
    const [address, page] = layout.props.children;
    address.props.pathname = window.location.pathname;
    address.props.search = window.location.search;
    page.props.children = gathered(JSON.parse(first.textContent));
  }

  function answered(_asked, response) {
    if (response && response.page) response.page.children = gathered(response.page.children);
  }

  window.rapport = { Plain: Plain, hooks: { layout_post: fill, request_post: answered } };
})();
