// Runs last, in the same isolated world: what a document shows, as a flat list of nodes.
// Says what is there and where; how it is written for a reader is decided by the runtime.
(() => {
  if (!globalThis.baton || baton.observe) return;
  const { SILENT, INTERACTIVE, MASK, documentName, squash, short, shown, roleOf, nameOf, textOf, disabled, isMasked, numberOf, referred, saying } = baton.inside;

  const MOST_NODES = 20000;
  const DEEPEST = 60;
  const LONGEST_TEXT = 2000;
  const MOST_OPTIONS = 15;
  // Roles whose content is their name: what is inside is told only if it can be used by itself.
  const LEAVES = new Set(['button', 'link', 'heading', 'option', 'tab', 'menuitem', 'menuitemcheckbox', 'menuitemradio', 'checkbox', 'radio', 'switch', 'img', 'tooltip']);
  const FIELDS = new Set(['textbox', 'searchbox', 'spinbutton', 'slider']);
  // Roles that say nothing to a reader by themselves.
  const PLAIN = new Set(['generic', 'paragraph', 'rowgroup', 'presentation', 'none', 'caption', 'term', 'definition', 'figure', 'separator', 'document', 'strong', 'emphasis', 'code', 'legend', 'status', 'article', 'search', 'banner', 'contentinfo']);
  const SHAPES = 'circle, ellipse, line, path, polygon, polyline, rect';

  const view = () => ({ left: 0, top: 0, right: innerWidth, bottom: innerHeight });
  const cut = (a, b) => ({ left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom) });
  // 0 in view, -1 before it, 1 after it.
  const placeOf = (box, clip) => {
    if (box.bottom <= clip.top || box.right <= clip.left) return -1;
    if (box.top >= clip.bottom || box.left >= clip.right || clip.bottom <= clip.top || clip.right <= clip.left) return 1;
    return 0;
  };
  const nodesOf = (element) => {
    if (element.shadowRoot) return element.shadowRoot.childNodes;
    if (element.localName === 'slot' && element.assignedNodes().length) return element.assignedNodes();
    return element.childNodes;
  };
  const focused = () => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element === document.body ? null : element;
  };
  const isLayout = (table) => !table.hasAttribute('role') && !table.caption && !table.querySelector('th') && (table.querySelector('table') !== null || table.rows.length < 2 || [...table.rows].every((row) => row.cells.length < 2));

  // ---- one element in words ----

  const statesOf = (element, role, active) => {
    const states = [];
    const said = (name) => element.getAttribute(`aria-${name}`);
    if (element.localName === 'input' && ['checkbox', 'radio'].includes(element.type)) states.push(element.indeterminate ? 'checked=mixed' : element.checked ? 'checked' : 'unchecked');
    else if (['checkbox', 'radio', 'switch', 'menuitemcheckbox', 'menuitemradio'].includes(role)) states.push(said('checked') === 'true' ? 'checked' : said('checked') === 'mixed' ? 'checked=mixed' : 'unchecked');
    if (role === 'heading') states.push(`level=${said('level') ?? (/^h[1-6]$/.test(element.localName) ? element.localName[1] : '2')}`);
    const open = element.localName === 'summary' && element.parentElement?.localName === 'details' ? String(element.parentElement.open) : said('expanded');
    if (open === 'true') states.push('expanded');
    if (open === 'false') states.push('collapsed');
    if (said('pressed') === 'true') states.push('pressed');
    if (said('pressed') === 'mixed') states.push('pressed=mixed');
    if (said('selected') === 'true' || (element.localName === 'option' && element.selected)) states.push('selected');
    if (said('current') && said('current') !== 'false') states.push('current');
    if (said('invalid') && said('invalid') !== 'false') states.push('invalid');
    if (said('busy') === 'true') states.push('busy');
    if (said('sort') && said('sort') !== 'none') states.push(`sort=${short(said('sort'), 20)}`);
    if (element.required || said('required') === 'true') states.push('required');
    if (element.readOnly || said('readonly') === 'true') states.push('read-only');
    if (INTERACTIVE.has(role) && disabled(element)) states.push('disabled');
    if (said('modal') === 'true' || (element.localName === 'dialog' && element.matches(':modal'))) states.push('modal');
    if (element === active) states.push('focused');
    return states;
  };
  const valueOf = (element, role) => {
    if (isMasked(element)) return MASK;
    if (element.localName === 'select') {
      const chosen = [...element.selectedOptions].map((option) => squash(option.label));
      return short(chosen.join(', '), 200);
    }
    if (element.localName === 'input' && element.type === 'file') return [...element.files].map((file) => file.name).join(', ');
    if (element.localName === 'input' && ['checkbox', 'radio', 'button', 'submit', 'reset', 'image'].includes(element.type)) return '';
    if (element.localName === 'input' && element.type === 'password') return element.value ? MASK : '';
    if (['input', 'textarea', 'progress', 'meter'].includes(element.localName)) return short(squash(String(element.value)), 500);
    if (element.isContentEditable && FIELDS.has(role)) return short(squash(textOf(element)), 500);
    const said = element.getAttribute('aria-valuetext') ?? element.getAttribute('aria-valuenow');
    if (said !== null) return squash(said);
    if (role === 'combobox') return short(squash(textOf(element)), 200);
    return '';
  };
  const extrasOf = (element, role) => {
    const extra = {};
    const placeholder = squash(element.getAttribute('placeholder') ?? element.getAttribute('aria-placeholder'));
    if (placeholder) extra.p = placeholder;
    if (element.localName === 'select') {
      extra.o = [...element.options].slice(0, MOST_OPTIONS).map((option) => short(squash(option.label), 60));
      if (element.options.length > MOST_OPTIONS) extra.om = element.options.length - MOST_OPTIONS;
    }
    if (element.localName === 'input' && ['number', 'range', 'date', 'time', 'month', 'week', 'datetime-local', 'color', 'email', 'tel', 'url', 'file', 'password'].includes(element.type)) extra.it = element.type;
    if (role === 'slider' || role === 'spinbutton') {
      const [least, most] = [element.min || element.getAttribute('aria-valuemin'), element.max || element.getAttribute('aria-valuemax')];
      if (least && most) extra.range = `${least} to ${most}`;
    }
    if (role === 'link' && element.href && !element.href.startsWith('javascript:')) extra.u = short(String(element.href.baseVal ?? element.href), 300);
    const about = squash((element.getAttribute('aria-describedby') ?? '')).split(' ').filter(Boolean).map((id) => baton.inside.byId(element, id)).filter(Boolean).map((each) => squash(textOf(each))).join(' ');
    if (about && INTERACTIVE.has(role)) extra.a = short(about, 200);
    return extra;
  };

  // ---- the walk ----

  const observe = ({ from, whole } = {}) => {
    const start = from === undefined ? document.body ?? document.documentElement : referred(from);
    const nodes = [];
    const active = focused();
    let more = false;
    let fresh = true;
    const add = (node) => {
      if (nodes.length >= MOST_NODES) { more = true; return null; }
      if (fresh) node.b = 1;
      fresh = false;
      nodes.push(node);
      return node;
    };
    const addText = (text, element, place, depth) => {
      const last = nodes[nodes.length - 1];
      if (!fresh && last?.t !== undefined && last.d === depth) {
        if (last.t.length < LONGEST_TEXT) last.t += text;
        if (place === 0) delete last.w;
        return;
      }
      if (squash(text) === '') return;
      const node = { d: depth, t: text, e: numberOf(element) };
      if (place !== 0) node.w = place;
      add(node);
    };
    const inside = (element, depth, context) => {
      for (const node of nodesOf(element)) {
        if (node.nodeType === Node.ELEMENT_NODE) visit(node, depth, context);
        else if (node.nodeType === Node.TEXT_NODE && !context.mute && context.visible && node.data !== '') {
          let place = context.place;
          if (place === 0 && context.tall && squash(node.data) !== '') {
            const range = document.createRange();
            range.selectNodeContents(node);
            place = placeOf(range.getBoundingClientRect(), context.clip);
          }
          addText(node.data, element, place, depth);
        }
      }
    };
    const visit = (element, depth, context) => {
      if (more || SILENT.has(element.localName) || element.getAttribute('aria-hidden') === 'true') return;
      if (element.localName === 'br') { fresh = true; return; }
      const style = getComputedStyle(element);
      if (style.display === 'none') return;
      const contents = style.display === 'contents';
      if (!contents && element.checkVisibility && !element.checkVisibility({ contentVisibilityAuto: false })) return;
      const box = element.getBoundingClientRect();
      const block = !contents && !style.display.startsWith('inline') && !(element instanceof SVGElement);
      const clip = style.position === 'fixed' ? view() : context.clip;
      const place = contents ? context.place : placeOf(box, clip);
      const clipped = !contents && style.overflow !== 'visible' && element !== document.body && element !== document.documentElement ? cut(clip, box) : clip;
      const visible = style.visibility === 'visible';
      const next = { ...context, clip: clipped, place, visible, tall: box.height > innerHeight / 2, cursor: style.cursor };
      if (block) fresh = true;
      tell(element, depth, style, box, visible, place, context, next);
      if (block) fresh = true;
    };
    const tell = (element, depth, style, box, visible, place, context, next) => {
      const tag = element.localName;
      if (tag === 'label' && element.control && shown(element.control)) return inside(element, depth, { ...next, mute: true });
      if (tag === 'legend' || (tag === 'caption' && !next.layout)) return inside(element, depth, { ...next, mute: true });
      let role = roleOf(element) ?? 'none';
      if (tag === 'table' && isLayout(element)) { next.layout = true; role = 'generic'; }
      else if (tag === 'table') next.layout = false;
      if (next.layout && ['tr', 'td', 'th', 'tbody', 'thead', 'tfoot'].includes(tag)) role = 'generic';
      const here = visible && box.width > 0 && box.height > 0;
      const tabbed = element.hasAttribute('tabindex') && element.tabIndex >= 0 && element !== document.body;
      const clickable = !INTERACTIVE.has(role) && tag !== 'label' && (element.hasAttribute('onclick') || tabbed || (style.cursor === 'pointer' && context.cursor !== 'pointer' && element !== document.body && element !== document.documentElement));
      if (tag === 'iframe' || tag === 'frame') {
        if (here) add({ d: depth, r: 'iframe', n: nameOf(element), e: numberOf(element), f: 1, ...(place && { w: place }) });
        return;
      }
      if (tag === 'svg' && role === 'generic') {
        if (here && box.width * box.height > 3600) return shapes(element, depth, next);
        if (!clickable) return;
      }
      if (role === 'img' && !here) return;
      if (!here && (LEAVES.has(role) || FIELDS.has(role) || tag === 'select')) return context.mute ? undefined : inside(element, depth, next);
      const usable = INTERACTIVE.has(role) || clickable;
      if (PLAIN.has(role) && !clickable) return inside(element, depth, next);
      if (tag === 'canvas' || tag === 'video' || tag === 'audio') role = tag;
      const node = { d: Math.min(depth, DEEPEST), r: role, e: numberOf(element) };
      if (place !== 0) node.w = place;
      if (usable) node.use = 1;
      if (style.display.startsWith('inline')) node.i = 1;
      if (context.mute && !usable) return inside(element, depth, next);
      const states = statesOf(element, role, active);
      if (states.length) node.s = states;
      const value = valueOf(element, role);
      if (value) node.v = value;
      Object.assign(node, extrasOf(element, role));
      if (PLAIN.has(role) || ['row', 'listitem', 'cell', 'gridcell'].includes(role)) {
        // Something that is clicked although nothing says so.
        if (!clickable) { add(node); return inside(element, depth + 1, next); }
        node.r = PLAIN.has(role) ? 'clickable' : role;
        const within = [...element.querySelectorAll('a[href], button, input, select, textarea, [role], [onclick], [tabindex]')].some((each) => INTERACTIVE.has(roleOf(each) ?? '') && shown(each));
        if (!within && !['row'].includes(role)) {
          node.n = short(squash(textOf(element)) || nameOf(element), 200);
          if (here) add(node);
          return;
        }
        add(node);
        return inside(element, depth + 1, next);
      }
      if (role === 'treeitem') {
        node.n = short(squash(element.getAttribute('aria-label') ?? '') || squash([...nodesOf(element)].filter((child) => child.nodeType === Node.TEXT_NODE || (child.nodeType === Node.ELEMENT_NODE && !['group', 'tree'].includes(child.getAttribute('role')) && child.localName !== 'ul')).map((child) => child.textContent).join(' ')), 300);
        add(node);
        for (const group of element.querySelectorAll(':scope > [role=group], :scope > ul')) visit(group, depth + 1, next);
        return;
      }
      const name = nameOf(element);
      if (name) node.n = short(name, 300);
      if (FIELDS.has(role) || tag === 'select' || tag === 'textarea') { add(node); return; }
      if (LEAVES.has(role)) {
        if (role !== 'img' && element.hasAttribute('aria-label')) {
          const text = squash(textOf(element));
          if (text.length > 1 && !name.toLowerCase().includes(text.toLowerCase())) node.x = short(text, 200);
        }
        if (role === 'img' && !name && !usable) return;
        add(node);
        return inside(element, depth + 1, { ...next, mute: true });
      }
      if (role === 'combobox') {
        add(node);
        return inside(element, depth + 1, { ...next, mute: true });
      }
      add(node);
      fresh = true;
      inside(element, depth + 1, { ...next, mute: context.mute && !['listbox', 'menu', 'group', 'dialog'].includes(role) });
    };
    const shapes = (svg, depth, context) => {
      const drawn = [...svg.querySelectorAll(SHAPES)].filter(shown).slice(0, 60);
      for (const shape of drawn) {
        const box = shape.getBoundingClientRect();
        const fill = shape.getAttribute('fill') ?? getComputedStyle(shape).fill;
        add({ d: depth, r: 'shape', n: shape.localName, e: numberOf(shape), use: 1, i: 1, x: short(`${fill} ${Math.round(box.width)}×${Math.round(box.height)}`, 60), ...(placeOf(box, context.clip) && { w: placeOf(box, context.clip) }) });
      }
      for (const text of svg.querySelectorAll('text')) if (shown(text)) { fresh = true; add({ d: depth, r: 'clickable', n: short(squash(text.textContent), 100), e: numberOf(text), use: 1, i: 1 }); }
    };

    if (start) {
      const base = { clip: view(), place: 0, mute: false, visible: true, tall: true, layout: false, cursor: 'auto' };
      if (from === undefined) inside(start, 0, { ...base, cursor: getComputedStyle(start).cursor });
      else visit(start, 0, base);
    }
    for (const node of nodes) if (node.t !== undefined) node.t = squash(node.t).slice(0, LONGEST_TEXT);
    const area = document.scrollingElement ?? document.documentElement;
    return {
      document: documentName, found: start !== undefined, nodes: nodes.filter((node) => node.t !== ''), more, url: location.href, title: document.title,
      scroll: { x: Math.round(area.scrollLeft), y: Math.round(area.scrollTop), width: area.scrollWidth, height: area.scrollHeight, viewWidth: innerWidth, viewHeight: innerHeight },
    };
  };

  baton.observe = saying(observe);
  // Whole now: nothing in this world is changed by anyone any more.
  Object.freeze(baton.inside);
  Object.defineProperty(globalThis, 'baton', { value: Object.freeze(baton), writable: false, configurable: false, enumerable: false });
})();
