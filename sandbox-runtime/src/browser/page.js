// Runs in an isolated world of every document: the page neither sees nor reaches it.
// Finds elements, says whether they can be used, and remembers which fields a person typed in.
// What a person typed is in no report: they carry names only. A sign-in is told by sign_in.js, to the runtime alone.
(() => {
  if (globalThis.baton) return;
  const report = (message) => globalThis.batonReport?.(JSON.stringify(message));
  const squash = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
  const short = (text, length = 80) => (text.length > length ? text.slice(0, length - 1) + '…' : text);

  // ---- the tree, with shadow roots ----

  const childrenOf = (node) => {
    if (node.shadowRoot) return [...node.shadowRoot.children];
    if (node.localName === 'slot') {
      const given = node.assignedElements();
      if (given.length) return given;
    }
    return [...node.children];
  };
  const parentOf = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host ?? null;
  // ---- names of elements that last as long as they do ----

  // Of this document alone: one that comes later has another.
  const documentName = Math.random().toString(36).slice(2, 12);
  const numbers = new WeakMap();
  const numbered = new Map();
  const numberOf = (element) => {
    if (!numbers.has(element)) {
      numbers.set(element, numbered.size + 1);
      numbered.set(numbered.size + 1, new WeakRef(element));
    }
    return numbers.get(element);
  };
  const referred = (reference) => {
    const [of, number] = reference.split(':');
    const element = of === documentName ? numbered.get(Number(number))?.deref() : undefined;
    return element?.isConnected ? element : undefined;
  };

  const rootsOf = function* (root = document) {
    yield root;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) if (node.shadowRoot) yield* rootsOf(node.shadowRoot);
  };
  const everything = function* () {
    for (const root of rootsOf()) yield* root.querySelectorAll('*');
  };
  const byId = (element, id) => element.getRootNode().getElementById?.(id) ?? document.getElementById(id);
  const within = (outer, inner) => {
    for (let node = inner; node; node = parentOf(node)) if (node === outer) return true;
    return false;
  };

  // ---- what can be seen ----

  const SILENT = new Set(['script', 'style', 'noscript', 'template', 'head', 'meta', 'link', 'title']);
  const shown = (element) => {
    if (!element.isConnected) return false;
    if (element.localName === 'option' || element.localName === 'optgroup') return shown(element.closest('select') ?? element.parentElement ?? document.body);
    if (element.checkVisibility && !element.checkVisibility({ checkVisibilityCSS: true, contentVisibilityAuto: false })) return false;
    const style = getComputedStyle(element);
    if (style.visibility !== 'visible') return false;
    if (style.display === 'contents') return [...element.children].some(shown) || squash(element.textContent) !== '';
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  };
  const exposed = (element) => {
    for (let node = element; node; node = parentOf(node)) if (node.getAttribute('aria-hidden') === 'true') return false;
    return true;
  };

  // Text as it is shown; what a person typed into an editable region is not text of the page.
  const textOf = (element) => {
    if (SILENT.has(element.localName) || isMasked(element)) return '';
    if (element.localName === 'input') return ['submit', 'button', 'reset'].includes(element.type) ? squash(element.value) : '';
    if (element.localName === 'textarea' || element.localName === 'select') return '';
    const parts = [];
    const nodes = element.shadowRoot ? element.shadowRoot.childNodes : element.localName === 'slot' && element.assignedNodes().length ? element.assignedNodes() : element.childNodes;
    for (const node of nodes) {
      if (node.nodeType === Node.TEXT_NODE) parts.push(node.data);
      else if (node.nodeType === Node.ELEMENT_NODE) {
        const display = getComputedStyle(node).display;
        if (display === 'none') continue;
        const text = textOf(node);
        parts.push(display.startsWith('inline') || display === 'contents' ? text : ` ${text} `);
        if (node.localName === 'br') parts.push(' ');
      }
    }
    return parts.join('').replace(/\s+/g, ' ');
  };

  // ---- roles and names (WAI-ARIA, HTML-AAM, accname: the parts that pages use) ----

  const inSection = (element) => element.closest('article, aside, main, nav, section, [role=article], [role=complementary], [role=main], [role=navigation], [role=region]') !== null;
  const INPUT_ROLES = { button: 'button', submit: 'button', reset: 'button', image: 'button', checkbox: 'checkbox', radio: 'radio', range: 'slider', number: 'spinbutton', search: 'searchbox', file: 'button', color: 'button', hidden: null };
  const roleOf = (element) => {
    const said = squash(element.getAttribute('role')).split(' ')[0].toLowerCase();
    if (said && said !== 'presentation' && said !== 'none') return said;
    if (said) return null;
    const named = element.hasAttribute('aria-label') || element.hasAttribute('aria-labelledby') || element.hasAttribute('title');
    switch (element.localName) {
      case 'a': case 'area': return element.hasAttribute('href') ? 'link' : 'generic';
      case 'button': case 'summary': return 'button';
      case 'input': {
        const type = element.type;
        if (type in INPUT_ROLES) return type === 'search' && element.hasAttribute('list') ? 'combobox' : INPUT_ROLES[type];
        return element.hasAttribute('list') ? 'combobox' : 'textbox';
      }
      case 'textarea': return 'textbox';
      case 'select': return element.multiple || element.size > 1 ? 'listbox' : 'combobox';
      case 'option': return 'option';
      case 'optgroup': case 'fieldset': case 'details': return 'group';
      case 'h1': case 'h2': case 'h3': case 'h4': case 'h5': case 'h6': return 'heading';
      case 'img': return element.getAttribute('alt') === '' && !named ? null : 'img';
      case 'svg': return named ? 'img' : 'generic';
      case 'ul': case 'ol': case 'menu': return 'list';
      case 'li': return 'listitem';
      case 'table': return 'table';
      case 'caption': return 'caption';
      case 'thead': case 'tbody': case 'tfoot': return 'rowgroup';
      case 'tr': return 'row';
      case 'td': return element.closest('table[role=grid], table[role=treegrid]') ? 'gridcell' : 'cell';
      case 'th': return element.scope === 'row' || element.scope === 'rowgroup' ? 'rowheader' : 'columnheader';
      case 'nav': return 'navigation';
      case 'main': return 'main';
      case 'aside': return 'complementary';
      case 'header': return inSection(element) ? 'generic' : 'banner';
      case 'footer': return inSection(element) ? 'generic' : 'contentinfo';
      case 'section': return named ? 'region' : 'generic';
      case 'form': return named ? 'form' : 'generic';
      case 'article': return 'article';
      case 'dialog': return 'dialog';
      case 'p': return 'paragraph';
      case 'progress': return 'progressbar';
      case 'meter': return 'meter';
      case 'output': return 'status';
      case 'hr': return 'separator';
      case 'search': return 'search';
      case 'figure': return 'figure';
      case 'iframe': return 'iframe';
      case 'dt': return 'term';
      case 'dd': return 'definition';
      default: return element.isContentEditable && !element.parentElement?.isContentEditable ? 'textbox' : 'generic';
    }
  };

  const FROM_CONTENT = new Set(['button', 'cell', 'checkbox', 'columnheader', 'gridcell', 'heading', 'link', 'menuitem', 'menuitemcheckbox', 'menuitemradio', 'option', 'radio', 'row', 'rowheader', 'switch', 'tab', 'tooltip', 'treeitem', 'term', 'caption', 'listitem', 'paragraph']);
  const INTERACTIVE = new Set(['button', 'link', 'textbox', 'searchbox', 'combobox', 'listbox', 'checkbox', 'radio', 'switch', 'slider', 'spinbutton', 'tab', 'menuitem', 'menuitemcheckbox', 'menuitemradio', 'option', 'treeitem']);

  // The name made of an element's content: like its text, but pictures and inner labels speak too.
  const contentName = (element) => {
    const parts = [];
    const nodes = element.shadowRoot ? element.shadowRoot.childNodes : element.localName === 'slot' && element.assignedNodes().length ? element.assignedNodes() : element.childNodes;
    for (const node of nodes) {
      if (node.nodeType === Node.TEXT_NODE) parts.push(node.data);
      if (node.nodeType !== Node.ELEMENT_NODE || SILENT.has(node.localName) || isMasked(node)) continue;
      if (node.getAttribute('aria-hidden') === 'true') continue;
      const style = getComputedStyle(node);
      if (style.display === 'none' || style.visibility === 'hidden') continue;
      const said = squash(node.getAttribute('aria-label'));
      const own = said || (['img', 'area'].includes(node.localName) ? squash(node.getAttribute('alt')) : node.localName === 'svg' ? squash(node.querySelector('title')?.textContent) : ['input', 'textarea', 'select'].includes(node.localName) ? '' : contentName(node));
      parts.push(style.display.startsWith('inline') ? own : ` ${own} `);
    }
    return parts.join('').replace(/\s+/g, ' ');
  };
  const labelsOf = (element) => {
    const said = squash(element.getAttribute('aria-labelledby'));
    if (said) return said.split(' ').map((id) => byId(element, id)).filter(Boolean).map((label) => squash(label.getAttribute('aria-label')) || squash(contentName(label)));
    if (element.hasAttribute('aria-label')) return [squash(element.getAttribute('aria-label'))];
    return [...(element.labels ?? [])].map((label) => squash(contentName(label)));
  };
  const nameOf = (element) => {
    const role = roleOf(element);
    const said = squash(labelsOf(element).join(' '));
    if (said) return said;
    if (element.localName === 'input') {
      if (['submit', 'button', 'reset'].includes(element.type)) return squash(element.value) || { submit: 'Submit', reset: 'Reset' }[element.type] || squash(element.title);
      if (element.type === 'image') return squash(element.alt || element.title) || 'Submit';
    }
    if (['img', 'area'].includes(element.localName) && element.alt) return squash(element.alt);
    if (element.localName === 'svg') return squash(element.querySelector('title')?.textContent);
    if (element.localName === 'fieldset') return squash(element.querySelector(':scope > legend') ? contentName(element.querySelector(':scope > legend')) : '');
    if (element.localName === 'table') return squash(element.caption ? contentName(element.caption) : '');
    if (FROM_CONTENT.has(role)) {
      const content = squash(contentName(element));
      if (content) return content;
    }
    return squash(element.getAttribute('title')) || squash(element.getAttribute('placeholder'));
  };

  // ---- finding ----

  // 3: the same; 2: the same but for case; 1: a part; 0: none.
  const likeness = (has, wanted) => {
    has = squash(has); wanted = squash(wanted);
    if (has === wanted) return 3;
    const [a, b] = [has.toLowerCase(), wanted.toLowerCase()];
    if (a === b) return 2;
    return b !== '' && a.includes(b) ? 1 : 0;
  };
  const same = (role, wanted) => role === wanted || (wanted === 'textbox' && role === 'searchbox') || (wanted === 'image' && role === 'img') || (wanted === 'listbox' && role === 'combobox');

  // Ranks one element against the target; 0 is no fit.
  const fit = (element, target) => {
    let rank = 3;
    const also = (likeness) => { rank = Math.min(rank, likeness); return rank > 0; };
    if (target.role !== undefined && !same(roleOf(element), target.role.toLowerCase())) return 0;
    if (target.testId !== undefined && element.getAttribute('data-testid') !== target.testId) return 0;
    if (target.placeholder !== undefined && !also(likeness(element.getAttribute('placeholder') ?? element.getAttribute('aria-placeholder'), target.placeholder))) return 0;
    if (target.label !== undefined && !also(Math.max(0, ...labelsOf(element).map((label) => likeness(label.replace(/\s*[*:]\s*$/, ''), target.label.replace(/\s*[*:]\s*$/, '')))))) return 0;
    if (target.name !== undefined && !also(likeness(nameOf(element), target.name))) return 0;
    if (target.name !== undefined && target.role === undefined && !INTERACTIVE.has(roleOf(element)) && !FROM_CONTENT.has(roleOf(element)) && roleOf(element) !== 'img') return 0;
    if (target.text !== undefined && !also(likeness(textOf(element), target.text))) return 0;
    return rank;
  };

  let kept = [];
  const keep = (element) => kept.push(element) - 1;

  // Elements that fit, best rank only, in document order. A wanted text means the innermost elements that show it.
  const search = (target) => {
    let from;
    if (target.ref !== undefined) from = [referred(target.ref)].filter(Boolean);
    else if (target.selector !== undefined) from = [...rootsOf()].flatMap((root) => [...root.querySelectorAll(target.selector)]);
    else from = [...everything()].filter((element) => !SILENT.has(element.localName));
    const rest = { ...target, ref: undefined, selector: undefined };
    let found = from.map((element) => ({ element, rank: fit(element, rest) })).filter(({ rank }) => rank > 0);
    if (target.text !== undefined && target.role === undefined && target.selector === undefined) {
      const all = new Set(found.map(({ element }) => element));
      found = found.filter(({ element }) => !childrenOf(element).some((child) => all.has(child)));
    }
    if (target.label !== undefined && target.role === undefined) {
      const fields = found.filter(({ element }) => isField(element) || INTERACTIVE.has(roleOf(element)));
      if (fields.length) found = fields;
    }
    const seen = found.map((each) => ({ ...each, shown: shown(each.element) && (target.role === undefined || exposed(each.element)) }));
    const usable = seen.filter((each) => each.shown);
    const best = Math.max(0, ...(usable.length ? usable : seen).map(({ rank }) => rank));
    return { rank: best, shown: usable.length > 0, taken: (usable.length ? usable : seen).filter(({ rank }) => rank === best).map(({ element }) => element) };
  };
  const isField = (element) => element.matches('input, textarea, select, button, meter, output, progress') || element.isContentEditable;
  const find = (target) => {
    const { rank, shown, taken } = search(target);
    const [first] = taken;
    kept = [];
    if (!first) return { rank, shown, count: 0, handle: null };
    return { rank, shown, count: taken.length, handle: keep(first), secret: isSecret(first) };
  };

  // A target that means this element alone, also in another session: as people name it, else by its way through the tree.
  const LONGEST_NAME = 80;
  const lasting = (element) => {
    const [role, name, label] = [roleOf(element), nameOf(element), squash(labelsOf(element).join(' '))];
    const [testId, placeholder] = [element.getAttribute('data-testid'), element.getAttribute('placeholder')];
    const text = isField(element) ? '' : squash(textOf(element));
    const ways = [
      role && role !== 'generic' && name && { role, name }, label && { label }, testId && { testId }, placeholder && { placeholder },
      text && { text }, element.id && { selector: `#${CSS.escape(element.id)}` },
    ];
    const means = (target) => {
      if (Object.values(target).some((part) => part.length > LONGEST_NAME || veil(part) !== part)) return false;
      const { taken } = search(target);
      return taken.length === 1 && taken[0] === element;
    };
    return ways.filter(Boolean).find(means) ?? { selector: wayTo(element) };
  };
  const wayTo = (element) => {
    const parts = [];
    for (let node = element; node; node = node.parentElement) {
      if (node !== element && node.id && node.getRootNode().querySelectorAll(`#${CSS.escape(node.id)}`).length === 1) return [`#${CSS.escape(node.id)}`, ...parts].join(' > ');
      const alike = [...(node.parentElement?.children ?? [])].filter((other) => other.localName === node.localName);
      parts.unshift(alike.length > 1 ? `${node.localName}:nth-of-type(${alike.indexOf(node) + 1})` : node.localName);
    }
    return parts.join(' > ');
  };

  // What a reader could use or read instead: for the sentence of a failure.
  const candidates = () => {
    const list = [];
    for (const element of everything()) {
      if (list.length >= 200) break;
      const role = roleOf(element);
      if (!(INTERACTIVE.has(role) || role === 'heading' || element.hasAttribute('data-testid')) || role === 'option') continue;
      if (!shown(element)) continue;
      list.push({ role, name: short(nameOf(element), 60), label: short(squash(labelsOf(element).join(' ')), 60), placeholder: element.getAttribute('placeholder') ?? '', testId: element.getAttribute('data-testid') ?? '' });
    }
    return { title: short(document.title), url: location.href, list, text: short(squash(document.body ? textOf(document.body) : ''), 200) };
  };

  // ---- whether it can be used ----

  const say = (element) => {
    const role = roleOf(element);
    const name = short(nameOf(element), 40);
    const tag = element.localName + (element.id ? `#${element.id}` : element.classList.length ? `.${element.classList[0]}` : '');
    return role && role !== 'generic' ? (name ? `${role} "${name}"` : role) : `<${tag}>`;
  };
  const disabled = (element) => {
    if (element.matches(':disabled')) return true;
    for (let node = element; node; node = parentOf(node)) if (node.getAttribute('aria-disabled') === 'true') return true;
    return false;
  };
  const hitAt = (x, y) => {
    let hit = document.elementFromPoint(x, y);
    while (hit?.shadowRoot) {
      const deeper = hit.shadowRoot.elementFromPoint(x, y);
      if (!deeper || deeper === hit) break;
      hit = deeper;
    }
    return hit;
  };
  const pause = () => new Promise((done) => {
    // A hidden tab draws no frames.
    const late = setTimeout(done, 50);
    requestAnimationFrame(() => { clearTimeout(late); done(); });
  });
  const boxOf = (element) => {
    const view = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    const boxes = [...element.getClientRects()].filter((box) => box.width > 0 && box.height > 0);
    const clipped = boxes.map((box) => ({ left: Math.max(box.left, view.left), top: Math.max(box.top, view.top), right: Math.min(box.right, view.right), bottom: Math.min(box.bottom, view.bottom) }));
    return clipped.find((box) => box.right - box.left >= 1 && box.bottom - box.top >= 1) ?? null;
  };

  // Answers where to click once the element is shown, stable, enabled and receives the click; else why not.
  // needs: click, type, look.
  const ready = async (handle, needs) => {
    let element = kept[handle];
    if (!element?.isConnected) return { gone: true };
    if (!shown(element)) {
      // A field behind a drawn label (styled check boxes) is used through its label.
      const label = needs === 'click' ? [...(element.labels ?? [])].find(shown) : undefined;
      if (!label) return { why: 'not visible' };
      element = label;
    }
    if (needs !== 'look' && disabled(element)) return { why: 'disabled' };
    if (needs === 'type' && (element.readOnly || element.getAttribute('aria-readonly') === 'true')) return { why: 'read-only' };
    if (!boxOf(element) || !wholly(element)) element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const before = element.getBoundingClientRect();
    await pause();
    await pause();
    const after = element.getBoundingClientRect();
    if (!element.isConnected) return { gone: true };
    if (['left', 'top', 'width', 'height'].some((side) => Math.abs(before[side] - after[side]) > 0.5)) return { why: 'moving' };
    const box = boxOf(element);
    if (!box) return { why: 'outside the visible part of the page' };
    const middle = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2, box };
    if (needs === 'look') return middle;
    const spots = [middle];
    for (const [dx, dy] of [[0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]]) spots.push({ x: box.left + (box.right - box.left) * dx, y: box.top + (box.bottom - box.top) * dy, box });
    let over = null;
    for (const spot of spots) {
      const hit = hitAt(spot.x, spot.y);
      const label = hit?.closest?.('label');
      if (hit && (within(element, hit) || (label && label.control === element))) {
        forgetInput();
        return spot;
      }
      over ??= hit;
    }
    return { why: over ? `covered by ${say(over)}` : 'not receiving clicks' };
  };
  const wholly = (element) => {
    const box = element.getBoundingClientRect();
    if (box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth) return false;
    const hit = hitAt((box.left + box.right) / 2, (box.top + box.bottom) / 2);
    // Scrolled out of sight inside another scroller: the point shows something else.
    return hit !== null && (within(element, hit) || within(hit, element));
  };

  // Maps a point inside the frame element `owner` to this document; says why it cannot be clicked there.
  const through = (owner, x, y, needs) => {
    const box = owner.getBoundingClientRect();
    const style = getComputedStyle(owner);
    const scale = { x: box.width / (owner.offsetWidth || box.width || 1), y: box.height / (owner.offsetHeight || box.height || 1) };
    const point = {
      x: box.left + (owner.clientLeft + parseFloat(style.paddingLeft) + x) * scale.x,
      y: box.top + (owner.clientTop + parseFloat(style.paddingTop) + y) * scale.y,
      scale,
    };
    if (needs === 'map') return point;
    if (point.x < 0 || point.y < 0 || point.x >= innerWidth || point.y >= innerHeight) {
      owner.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
      return { why: 'outside the visible part of the page' };
    }
    const hit = hitAt(point.x, point.y);
    return needs === 'look' || hit === owner ? point : { why: hit ? `covered by ${say(hit)}` : 'not receiving clicks' };
  };

  // ---- whether input arrived ----

  // The browser acknowledges input that it drops: while a frame has not painted yet, or its place is not known yet.
  let arrived = { moved: null, pressed: 0 };
  const onMoved = (event) => { if (event.isTrusted) arrived.moved = { x: event.clientX, y: event.clientY }; };
  const onPressed = (event) => { if (event.isTrusted) arrived.pressed += 1; };
  for (const type of ['pointermove', 'mousemove']) addEventListener(type, onMoved, { capture: true, passive: true });
  for (const type of ['pointerdown', 'mousedown']) addEventListener(type, onPressed, { capture: true, passive: true });
  const forgetInput = () => { arrived = { moved: null, pressed: 0 }; };
  const pointerAt = (x, y) => arrived.moved !== null && Math.abs(arrived.moved.x - x) <= 2 && Math.abs(arrived.moved.y - y) <= 2;
  const pressArrived = () => arrived.pressed > 0;

  // ---- doing what input events cannot ----

  const WRITTEN = new Set(['color', 'date', 'datetime-local', 'month', 'range', 'time', 'week']);
  const inform = (element) => {
    element.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    element.dispatchEvent(new Event('change', { bubbles: true }));
  };
  // Makes ready for typed text: focused, its content selected. Answers how the text is to be put.
  const prepareTyping = (handle, text) => {
    let element = kept[handle];
    if (element.localName === 'label' && element.control) element = element.control;
    if (element.localName === 'input' && WRITTEN.has(element.type)) {
      element.focus();
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(element, text);
      inform(element);
      return element.value === text.toLowerCase() || element.value === text ? { how: 'done' } : { how: 'refused', why: `a ${element.type} field does not take ${JSON.stringify(text)}` };
    }
    const typed = element.localName === 'textarea' || (element.localName === 'input' && !['checkbox', 'radio', 'button', 'submit', 'reset', 'image', 'file', 'hidden'].includes(element.type));
    if (!typed && !element.isContentEditable) return { how: 'refused', why: `${say(element)} is not a field for text` };
    element.focus();
    if (typed) element.select();
    else getSelection().selectAllChildren(element);
    const holder = element.getRootNode().activeElement;
    return holder === element || within(element, holder) || element.isContentEditable ? { how: 'insert', empty: (typed ? element.value : element.textContent) === '' } : { how: 'refused', why: `${say(element)} does not take the focus` };
  };
  const choose = (handle, value) => {
    let element = kept[handle];
    if (element.localName === 'label' && element.control) element = element.control;
    if (element.localName !== 'select') return { why: `${say(element)} is not a list of options; click it instead` };
    const options = [...element.options];
    const option = options.find((each) => each.value === value) ?? options.find((each) => squash(each.label) === squash(value)) ?? options.find((each) => squash(each.label).toLowerCase() === squash(value).toLowerCase());
    if (!option) return { why: `has no option "${value}"; it has ${options.slice(0, 12).map((each) => `"${short(squash(each.label), 30)}"`).join(', ') || 'none'}`, retry: true };
    if (option.disabled) return { why: `its option "${value}" is disabled`, retry: true };
    element.focus();
    if (element.multiple) option.selected = true;
    else element.value = option.value, option.selected = true;
    inform(element);
    return { chosen: squash(option.label) };
  };
  const scrollBy = (handle, dx, dy, to) => {
    let area = handle === null ? document.scrollingElement : kept[handle];
    const able = (element) => element.scrollHeight > element.clientHeight || element.scrollWidth > element.clientWidth;
    while (handle !== null && area && !able(area)) area = parentOf(area);
    area ??= document.scrollingElement;
    if (to === 'top') area.scrollTo({ top: 0, behavior: 'instant' });
    else if (to === 'bottom') area.scrollTo({ top: area.scrollHeight, behavior: 'instant' });
    else area.scrollBy({ left: dx, top: dy, behavior: 'instant' });
    return { top: Math.round(area.scrollTop), left: Math.round(area.scrollLeft) };
  };
  const fileInput = (handle) => {
    const element = kept[handle];
    const control = element.localName === 'label' ? element.control : element;
    return control?.localName === 'input' && control.type === 'file' ? control : null;
  };

  // What the elements show, as JSON.
  const extract = (selector) => {
    const found = [...rootsOf()].flatMap((root) => [...root.querySelectorAll(selector)]);
    const read = (element) => {
      if (element.localName === 'table') {
        const rows = [...element.rows].map((row) => [...row.cells].map((cell) => squash(textOf(cell))));
        const head = element.tHead?.rows[0] ?? ([...(element.rows[0]?.cells ?? [])].every((cell) => cell.localName === 'th') ? element.rows[0] : null);
        if (!head) return rows;
        const names = [...head.cells].map((cell, column) => squash(textOf(cell)) || `column ${column + 1}`);
        return rows.filter((_, index) => element.rows[index] !== head).map((row) => Object.fromEntries(row.map((cell, column) => [names[column] ?? `column ${column + 1}`, cell])));
      }
      if (['ul', 'ol'].includes(element.localName)) return [...element.children].map((item) => squash(textOf(item)));
      if (isMasked(element) || element.type === 'password') return MASK;
      if (['checkbox', 'radio'].includes(element.type)) return element.checked;
      if (element.localName === 'select') return squash(element.selectedOptions[0]?.label);
      if (['input', 'textarea'].includes(element.localName)) return element.value;
      if (element.localName === 'a') return { text: squash(textOf(element)), href: element.href };
      if (element.localName === 'img') return { alt: element.alt, src: element.src };
      return squash(textOf(element));
    };
    return { count: found.length, values: found.map(read) };
  };
  const has = (selector) => [...rootsOf()].some((root) => root.querySelector(selector) !== null);

  // ---- a person at the wheel: which fields, never what ----

  const typedIn = new Set();
  // Those of them that were filled in from the vault: they are not revealed.
  const filledIn = new WeakSet();
  // Fields that were reported since the person took over: a later person's typing in them is told again.
  const toldOf = new Set();
  const typedValues = new Set();
  // What each field held last while the person typed: pages empty their fields themselves.
  const lastTyped = new Map();
  let recording = globalThis.batonRecords === true;
  const names = new WeakMap();
  const fieldOf = (event) => {
    const element = event.composedPath()[0];
    if (!(element instanceof Element)) return null;
    if (element.matches('input, textarea, select')) return element;
    let editable = element.isContentEditable ? element : null;
    while (editable?.parentElement?.isContentEditable) editable = editable.parentElement;
    return editable;
  };
  const valueOf = (field) => (field.isContentEditable ? field.textContent : field.value) ?? '';
  // Named before anything is typed, for pages repeat what was typed in their labels.
  const fieldName = (field) => {
    if (names.has(field)) return names.get(field);
    const plain = [labelsOf(field).join(' '), field.getAttribute('aria-label'), field.getAttribute('placeholder'), field.getAttribute('title'), field.getAttribute('name'), field.id, field.type, field.localName];
    // Without the colon or star that labels of forms end with.
    const words = plain.map((part) => squash(part).replace(/[\s:：*]+$/, ''));
    const name = short(words.find((part) => part) ?? 'field');
    names.set(field, name);
    return name;
  };
  const TICKED = ['checkbox', 'radio', 'range', 'color', 'file', 'button', 'submit', 'reset', 'image'];
  const onFocus = (event) => { const field = recording && fieldOf(event); if (field) fieldName(field); };
  const onBefore = (event) => { const field = recording && event.isTrusted && fieldOf(event); if (field) fieldName(field); };
  const onInput = (event) => {
    if (!recording || !event.isTrusted) return;
    const field = fieldOf(event);
    if (!field) return;
    const ticked = TICKED.includes(field.type) || field.localName === 'select';
    // Leaving a field that was filled before is no typing: whoever types is seen by the input that comes first.
    if (event.type === 'change' && !ticked && !toldOf.has(field)) return;
    let name = fieldName(field);
    if (!ticked) {
      const first = !toldOf.has(field);
      toldOf.add(field);
      noteTyped(field);
      remember(field);
      const repeated = [...typedValues, valueOf(field)].some((value) => value.length > 2 && name.includes(value));
      if (repeated) name = field.type || 'field';
      if (!first) return;
    }
    report({ kind: 'touched', name, typed: !ticked });
  };
  // Letters that a page takes for itself change no field, and are typed all the same.
  const onKey = (event) => {
    if (!recording || !event.isTrusted || event.key.length !== 1 || event.ctrlKey || event.metaKey) return;
    const field = fieldOf(event);
    if (!field || toldOf.has(field) || field.localName === 'select' || (field.localName === 'input' && TICKED.includes(field.type))) return;
    const name = fieldName(field);
    noteTyped(field);
    toldOf.add(field);
    report({ kind: 'touched', name, typed: true });
  };
  // What the page itself says of a field, which is marked otherwise below.
  const saidOf = new WeakMap();
  const purposeOf = (field) => saidOf.get(field) ?? field.getAttribute('autocomplete') ?? '';
  const noteTyped = (field) => {
    if (typedIn.has(field)) return;
    typedIn.add(field);
    saidOf.set(field, purposeOf(field));
    // The browser keeps what is in other fields for a page that is gone back to.
    if (field.localName === 'input' || field.localName === 'textarea') field.setAttribute('autocomplete', 'off');
  };
  const remember = (field) => {
    const [before, now] = [lastTyped.get(field) ?? '', valueOf(field)];
    // A value that only grew says it all; one that was begun anew was said as a whole before.
    if (before.length > 2 && !now.startsWith(before) && ![...typedValues].some((value) => value.startsWith(before))) typedValues.add(before);
    lastTyped.set(field, now);
  };
  const onLeave = (event) => {
    const field = fieldOf(event);
    if (field && typedIn.has(field) && valueOf(field).length > 2) typedValues.add(valueOf(field));
  };
  for (const [type, listener] of [['focusin', onFocus], ['pointerdown', onBefore], ['keydown', onKey], ['beforeinput', onBefore], ['input', onInput], ['change', onInput], ['focusout', onLeave]]) addEventListener(type, listener, { capture: true, passive: true });
  const record = (on) => {
    recording = on;
    if (on) {
      toldOf.clear();
      let focused = document.activeElement;
      while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
      const field = focused && fieldOf({ composedPath: () => [focused] });
      if (field) fieldName(field);
    }
  };
  // While nobody but a program drives, what a person typed is neither carried away nor brought back.
  const keepIn = (event) => {
    if (recording || typedIn.size === 0) return;
    learnSecrets();
    const target = event.composedPath()[0];
    const chosen = String(getSelection() ?? '');
    const element = target instanceof Element ? target : target?.parentElement;
    if (!(element && isMasked(element)) && veil(chosen) === chosen) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const keepGone = (event) => {
    if (recording || typedIn.size === 0 || !['historyUndo', 'historyRedo'].includes(event.inputType)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  for (const type of ['copy', 'cut', 'dragstart']) addEventListener(type, keepIn, { capture: true });
  addEventListener('beforeinput', keepGone, { capture: true });
  const isHeld = (field) => field.isConnected && valueOf(field) !== '';
  const empty = (field) => { if (field.isContentEditable) field.textContent = ''; else field.value = ''; };
  // Whether a field still holds what was typed. One that the page has put away is emptied: it could come back.
  const holdsTyped = () => {
    const held = [...typedIn].some(isHeld);
    if (!held) for (const field of typedIn) if (!field.isConnected) empty(field);
    return held;
  };
  const typedNames = () => (holdsTyped() ? [...new Set([...typedIn].filter(isHeld).map((field) => fieldName(field)))] : []);
  const clearTyped = () => {
    for (const field of typedIn) {
      empty(field);
      for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
    }
    return true;
  };
  // What the person who drives now typed into a field, whatever the page made of it; '' where they did not.
  const typedNow = (field) => (recording && field && toldOf.has(field) ? (lastTyped.get(field) ?? '') : '');
  // The person lets programs read it.
  const reveal = () => {
    for (const field of typedIn) {
      if (filledIn.has(field)) continue;
      typedIn.delete(field);
      typedValues.delete(lastTyped.get(field));
      lastTyped.delete(field);
    }
    if (typedIn.size === 0) typedValues.clear();
    return true;
  };

  // A field the person typed in, what it holds, or another field that now holds the same.
  function isMasked(element) {
    for (let node = typedIn.size > 0 ? element : null; node; node = parentOf(node)) if (typedIn.has(node)) return true;
    return ['input', 'textarea'].includes(element.localName) && veil(element.value) !== element.value;
  }

  // Repeats of what was typed, here and in the frames of the same origin, however a page spaces, writes or encodes it.
  const MASK = '••••';
  const LONGEST_SECRET = 200;
  const secretsHere = () => [...typedValues, ...lastTyped.values()];
  const secretsAround = function* (outer) {
    for (let at = 0; at < Math.min(outer.length, 100); at += 1) yield* secretsAround(outer[at]);
    try {
      if (outer !== window && outer.baton) yield* outer.baton.inside.secretsHere();
    } catch { /* of another origin: it tells nothing to this page either */ }
  };
  const veiling = { of: '[]', pattern: null };
  // Called before anything is told.
  const learnSecrets = () => {
    const values = new Set([...secretsHere(), ...secretsAround(window.top)]);
    const of = JSON.stringify([...values]);
    if (veiling.of === of) return;
    const lines = [...values].flatMap((value) => (value.length > LONGEST_SECRET ? value.split(/[\n.]/).map((line) => line.slice(0, LONGEST_SECRET)) : [value]));
    const encoded = lines.flatMap((line) => [line, encodeURIComponent(line.toWellFormed()), encodeURIComponent(line.toWellFormed()).replaceAll('%20', '+')]);
    const letters = [...new Set(encoded.map((line) => line.replace(/[\s\u00a0-]/g, '')))].filter((line) => [...line].length > 2);
    const patterns = letters.sort((a, b) => b.length - a.length).map((line) => [...line].map((letter) => letter.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('[\\s\\u00a0-]*'));
    veiling.of = of;
    veiling.pattern = patterns.length ? new RegExp(patterns.join('|'), 'giu') : null;
  };
  function veil(text) {
    return veiling.pattern && typeof text === 'string' ? text.replace(veiling.pattern, MASK) : text;
  }
  // Everything that leaves this file as an answer passes here.
  const veiled = (value) => {
    if (!veiling.pattern) return value;
    if (typeof value === 'string') return veil(value);
    if (Array.isArray(value)) return value.map(veiled);
    if (value && Object.getPrototypeOf(value) === Object.prototype) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [veil(key), veiled(inner)]));
    return value;
  };
  const saying = (answer) => (...given) => {
    learnSecrets();
    const said = answer(...given);
    if (!(said instanceof Promise)) return veiled(said);
    return said.then((later) => { learnSecrets(); return veiled(later); });
  };

  const maskedBoxes = () => {
    const boxes = [];
    const add = (rects) => { for (const box of rects) if (box.width > 0 && box.height > 0) boxes.push([box.left, box.top, box.right, box.bottom]); };
    learnSecrets();
    if (typedIn.size === 0 && !veiling.pattern) return boxes;
    const repeats = (text) => typeof text === 'string' && text !== '' && veil(text) !== text;
    for (const element of everything()) {
      if (SILENT.has(element.localName)) continue;
      if (element.matches('input, textarea, select, [contenteditable]')) {
        const shows = element.localName === 'select' ? element.selectedOptions[0]?.label : element.placeholder;
        if (isMasked(element) || repeats(shows)) add(element.getClientRects());
        continue;
      }
      if (!repeats(element.textContent)) continue;
      const range = document.createRange();
      const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && repeats(node.data));
      for (const node of texts) {
        range.selectNodeContents(node);
        add(range.getClientRects());
      }
      // Spread over several elements: the smallest that holds it all.
      if (!texts.length && !childrenOf(element).some((child) => repeats(child.textContent))) add(element.getClientRects());
    }
    return boxes;
  };

  // ---- what would be done, before it is done ----

  // A form's own properties are hidden by fields of those names, which a page chooses.
  const elementsOf = Object.getOwnPropertyDescriptor(HTMLFormElement.prototype, 'elements').get;
  const attributeOf = Element.prototype.getAttribute;
  const SECRET_FILLS = /password|cc-|one-time-code/;
  const isSecret = (element) => element.type === 'password' || SECRET_FILLS.test(element.autocomplete ?? '') || isMasked(element);
  const shownFields = (form, submitter) => {
    const fields = [];
    for (const element of elementsOf.call(form)) {
      if (!element.name && !element.id || element.disabled || element.type === 'hidden' && element.value === '') continue;
      if (['submit', 'image', 'button', 'reset', 'fieldset', 'output'].includes(element.type) && element !== submitter) continue;
      if (['checkbox', 'radio'].includes(element.type) && !element.checked) continue;
      const name = element.name || element.id;
      const masked = isSecret(element);
      let value = element.value ?? '';
      if (element.type === 'file') value = [...element.files].map((file) => file.name).join(', ');
      if (element.localName === 'select') value = [...element.selectedOptions].map((option) => squash(option.textContent)).join(', ');
      fields.push({ name, value: masked ? (value && '•') : value, masked });
    }
    return fields.slice(0, 100);
  };
  const ofForm = (form, submitter) => ({
    submits: true,
    method: (submitter?.getAttribute('formmethod') ?? attributeOf.call(form, 'method') ?? 'get').toUpperCase(),
    destination: submitter?.hasAttribute('formaction') ? submitter.formAction : new URL(attributeOf.call(form, 'action') || document.URL, document.baseURI).href,
    fields: shownFields(form, submitter),
    sent: [...elementsOf.call(form)].filter((element) => element.localName === 'select' && element.name && !isMasked(element)).map((element) => [element.name, element.value]).slice(0, 100),
  });
  // The control that an element belongs to, or the element itself.
  const controlOf = (element) => {
    let node = element;
    while (node && !node.matches('a[href], area[href], button, input, summary, [role=button], [role=link], [role=menuitem]')) {
      const labelled = node.localName === 'label' ? node.control : null;
      node = labelled ?? parentOf(node);
    }
    return node ?? element;
  };
  const nothing = () => ({ words: '', isLink: false, submits: false, method: null, destination: null, page: document.URL, fields: [] });
  const foresee = (element) => {
    const seen = nothing();
    const node = controlOf(element);
    const said = [nameOf(node), textOf(node), node.getAttribute('title'), node.value && ['submit', 'button', 'image'].includes(node.type) ? node.value : ''];
    // The name of most elements is their text: said once, it keeps its length.
    seen.words = short([...new Set(said.map((part) => squash(part ?? '')))].filter((part) => part).join(' '), 300);
    if (node.matches('a[href], area[href]')) return { ...seen, isLink: true, method: 'GET', destination: node.href };
    const submits = node.form && ((node.localName === 'button' && node.type === 'submit') || (node.localName === 'input' && ['submit', 'image'].includes(node.type)));
    return submits ? { ...seen, ...ofForm(node.form, node) } : seen;
  };
  // Enter in a field of a form presses the form's own button.
  const foreseeEnter = (element) => {
    const form = element.form;
    if (!form || element.localName === 'textarea' || element.localName === 'button') return foresee(element);
    const button = [...elementsOf.call(form)].find((each) => (each.localName === 'button' && each.type === 'submit') || (each.localName === 'input' && ['submit', 'image'].includes(each.type)));
    return button ? foresee(button) : { ...nothing(), ...ofForm(form, null) };
  };
  const foreseeFocus = () => {
    let focused = document.activeElement;
    while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
    if (!focused || focused === document.body || focused.localName === 'iframe') return null;
    return foreseeEnter(focused);
  };
  // A form that goes out tells the names of the fields that a person typed in: a page that is leaving can be asked nothing.
  addEventListener('formdata', (event) => {
    const typed = [...elementsOf.call(event.target)].filter(isMasked).map((element) => element.name);
    if (typed.length) report({ kind: 'sends', typed });
  }, { capture: true, passive: true });
  const typedByPerson = (values) => {
    learnSecrets();
    return values.map((value) => value !== '' && veil(value) !== value);
  };

  // ---- what input does, by the names of elements and never by values: a program's doings are in the history ----

  const did = (kind, element, name) => {
    learnSecrets();
    report(veiled({ kind: 'did', did: kind, what: name ?? say(controlOf(element)) }));
  };
  addEventListener('click', (event) => {
    const element = event.composedPath()[0];
    if (!recording && event.isTrusted && element instanceof Element) did('clicked', element);
  }, { capture: true, passive: true });
  addEventListener('input', (event) => {
    const field = !recording && event.isTrusted ? fieldOf(event) : null;
    if (field && !TICKED.includes(field.type)) did(field.localName === 'select' ? 'chose in' : 'typed into', field, `field "${fieldName(field)}"`);
  }, { capture: true, passive: true });

  // ---- what brings up a dialog of the browser's own ----

  const asksOf = (what) => globalThis.batonAsks && addEventListener(`${globalThis.batonAsks}-${what}`, (event) => {
    if (what === 'permission-over') report({ kind: 'asks', dialog: 'permission', over: true });
    else report({ kind: 'asks', dialog: 'permission', what: what.slice('permission-'.length) });
    event.stopImmediatePropagation();
  }, { capture: true });
  for (const what of ['permission-over', 'permission-notifications', 'permission-location', 'permission-camera or microphone']) asksOf(what);
  // A call for a passkey waits in the page's own world until it is answered here.
  const { batonAsks } = globalThis;
  const split = (detail) => {
    const at = String(detail).indexOf(' ');
    return [Number(String(detail).slice(0, at)), String(detail).slice(at + 1)];
  };
  const heard = (what, tell) => batonAsks && addEventListener(`${batonAsks}-${what}`, (event) => {
    tell(event);
    event.stopImmediatePropagation();
  }, { capture: true });
  heard('passkey', (event) => {
    const [number, ask] = split(event.detail);
    if (!globalThis.batonReport || ask.length > 20_000) return;
    event.preventDefault();
    report({ kind: 'passkey', number, ask, origin: self.origin });
  });
  heard('passkey-end', (event) => {
    const [number, end] = split(event.detail);
    report({ kind: 'passkey', number, end });
  });
  const passkey = (number, answer) => dispatchEvent(new CustomEvent(`${batonAsks}-passkey-answer`, { detail: `${number} ${answer}` }));
  addEventListener('beforeprint', () => report({ kind: 'asks', dialog: 'print' }));
  // No other program can be opened here: a page that leads to one stays as it is.
  const OPENED_HERE = new Set(['http:', 'https:', 'about:', 'data:', 'blob:', 'file:', 'filesystem:', 'javascript:', 'view-source:', 'chrome:', 'chrome-error:', 'chrome-extension:', 'chrome-untrusted:', 'devtools:']);
  globalThis.navigation?.addEventListener('navigate', (event) => {
    const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(event.destination.url)?.[0].toLowerCase();
    if (!scheme || OPENED_HERE.has(scheme) || !event.cancelable) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    report({ kind: 'asks', dialog: 'externalApp', what: scheme });
  }, { capture: true });
  // The page that Chromium shows in place of a site whose certificate it does not trust.
  if (location.protocol === 'chrome-error:') {
    const isCertificate = () => document.body?.classList.contains('ssl');
    const look = () => isCertificate() && report({ kind: 'asks', dialog: 'certificate' });
    if (document.readyState === 'complete') look();
    else addEventListener('load', look, { once: true });
  }

  // ---- what the runtime follows: which tab is in front, and its title ----

  if (window === window.top) {
    const seen = () => { if (document.visibilityState === 'visible') report({ kind: 'front' }); };
    addEventListener('focus', seen);
    document.addEventListener('visibilitychange', seen);
    seen();
    let title = null;
    const titled = () => { if (document.title !== title) { learnSecrets(); report({ kind: 'title', title: veil((title = document.title).slice(0, 1000)) }); }; };
    const follow = () => {
      titled();
      new MutationObserver(titled).observe(document.head ?? document.documentElement, { subtree: true, childList: true, characterData: true });
    };
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', follow, { once: true });
    else follow();
    addEventListener('load', titled);
    addEventListener('pageshow', () => { title = null; titled(); seen(); });
  }

  // Every name that a script here can use without saying where it is.
  const globals = () => {
    const names = new Set();
    for (let holder = globalThis; holder; holder = Object.getPrototypeOf(holder)) for (const name of Object.getOwnPropertyNames(holder)) names.add(name);
    return [...names];
  };

  globalThis.baton = {
    lasting: (handle) => lasting(kept[handle]),
    globals, passkey, holdsTyped, typedNames: saying(typedNames), clearTyped, reveal, find, scrollBy, fileInput, has, record, records: () => recording, maskedBoxes, numberOf, referred, pointerAt, pressArrived,
    candidates: saying(candidates), ready: saying(ready), through: saying(through), prepareTyping: saying(prepareTyping), choose: saying(choose), extract: saying(extract),
    foresee: saying(foresee), foreseeEnter: saying(foreseeEnter), foreseeFocus: saying(foreseeFocus), typedByPerson,
    scale: () => ({ dpr: devicePixelRatio, width: innerWidth, height: innerHeight }),
    element: (handle) => kept[handle],
    still: () => pause().then(pause),
    // For the scripts that look at the page and sign in to it.
    inside: { SILENT, INTERACTIVE, MASK, documentName, squash, short, byId, shown, exposed, parentOf, roleOf, nameOf, labelsOf, textOf, disabled, isMasked, numberOf, referred, saying, secretsHere, rootsOf, within, hitAt, fieldName, purposeOf, noteTyped, typedNow, filledIn, remember, inform, attributeOf, elementsOf },
  };
})();
