// Runs after page.js and before observe.js, in the same isolated world: finds the fields of a sign-in as browsers do, writes into them, and sends them.
// Of a sign-in that a person types it tells the runtime, in case they want it kept.
// Each step checks for itself where it is, in the same turn of the page's loop as it writes.
(() => {
  if (!globalThis.baton || baton.signIn) return;
  const { documentName, squash, short, shown, exposed, parentOf, rootsOf, within, hitAt, nameOf, labelsOf, textOf, disabled, fieldName, purposeOf, noteTyped, typedNow, filledIn, remember, inform, attributeOf, elementsOf, saying } = baton.inside;

  const CODE = /one.?time|otp|2fa|mfa|two.?(step|factor)|authenticat|verif|security.?code|passcode|sicherheitscode|bestätigungscode|einmal/i;
  const PLAIN_CODE = /\b(code|token|pin|tan)\b/i;
  const NO_CODE = /zip|postal|plz|promo|coupon|discount|voucher|gift|country|area.?code|captcha|invit|referr|currency/i;
  const USER = /user|e-?mail|log.?in|sign.?in|account|identi|benutzer|anmeld|kennung|usuario|correo|utilisateur|phone|handy/i;
  const SIGN_IN = /log.?in|log.?on|sign.?in|anmeld|einloggen|connexion|se connecter|iniciar sesi|entrar|accedi/i;
  const ONWARD = /continue|next|weiter|submit|verif|confirm|bestätig|suivant|siguiente|continuar|ok\b|go\b/i;
  const NEW_ACCOUNT = /sign.?up|regist|create|join|subscribe|newsletter|konto erstellen|s'inscrire|crear/i;
  const NEW_PASSWORD = /new|confirm|repeat|retype|again|create|choose|neu|wiederhol|bestätig|nouveau|nueva/i;
  const OTHER_BUTTON = /forgot|reset|google|apple|facebook|microsoft|github|passkey|cancel|back|show|help|vergessen|abbrechen|zurück/i;
  const TEXTUAL = new Set(['text', 'email', 'tel', 'number', 'password', 'url', 'search']);
  const CLIMBED = 6;

  const purposes = (field) => purposeOf(field).toLowerCase().split(/\s+/);
  const wordsOf = (field) => squash([labelsOf(field).join(' '), field.getAttribute('placeholder'), field.getAttribute('name'), field.id, field.getAttribute('title')].join(' '));

  // ---- what a person can see ----

  const opaque = (element) => {
    for (let node = element; node; node = parentOf(node)) if (Number(getComputedStyle(node).opacity) < 0.2) return false;
    return true;
  };
  const onPage = (element) => {
    const box = element.getBoundingClientRect();
    const [left, top] = [box.left + scrollX, box.top + scrollY];
    const root = document.documentElement;
    return box.width >= 8 && box.height >= 8 && left + box.width > 0 && top + box.height > 0 && left < Math.max(root.scrollWidth, innerWidth) && top < Math.max(root.scrollHeight, innerHeight);
  };
  const usable = (field) => shown(field) && exposed(field) && !disabled(field) && !field.readOnly && onPage(field) && opaque(field);
  // Brought into view, it takes the click of a person who aims at it: nothing of elsewhere lies over it.
  const reached = (field) => {
    field.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const box = field.getBoundingClientRect();
    return [[0.5, 0.5], [0.2, 0.5], [0.8, 0.5]].some(([x, y]) => {
      const hit = hitAt(box.left + box.width * x, box.top + box.height * y);
      return hit !== null && (within(field, hit) || hit.closest?.('label')?.control === field || (field.parentElement !== document.body && field.parentElement !== null && within(field.parentElement, hit)));
    });
  };

  // ---- which form it is ----

  // Fields that belong together: those of a form, or those without any.
  const groups = () => {
    const all = [...rootsOf()].flatMap((root) => [...root.querySelectorAll('input')]).filter((field) => TEXTUAL.has(field.type)).slice(0, 500);
    const found = new Map();
    for (const field of all) {
      const key = field.form ?? field.getRootNode();
      if (!found.has(key)) found.set(key, { form: field.form, fields: [] });
      found.get(key).fields.push(field);
    }
    return [...found.values()].map((group) => ({ ...group, usable: group.fields.filter(usable) }));
  };
  const isCode = (field) => {
    if (purposes(field).includes('one-time-code')) return true;
    const words = wordsOf(field);
    if (NO_CODE.test(words) || field.type === 'email' || purposes(field).includes('current-password')) return false;
    if (CODE.test(words)) return field.type !== 'password' || (field.maxLength > 0 && field.maxLength <= 10);
    const short = (field.maxLength >= 4 && field.maxLength <= 8) || field.inputMode === 'numeric' || field.type === 'tel' || field.type === 'number';
    return PLAIN_CODE.test(words) && short && field.type !== 'password';
  };
  const isPassword = (field) => field.type === 'password' && !isCode(field);
  const isNew = (field) => purposes(field).includes('new-password') || (!purposes(field).includes('current-password') && NEW_PASSWORD.test(wordsOf(field)));
  const isUser = (field) => !isPassword(field) && !isCode(field) && ['text', 'email', 'tel'].includes(field.type);
  const surely = (field) => purposes(field).some((purpose) => ['username', 'email', 'webauthn'].includes(purpose));

  const buttonsOf = (group, field) => {
    const isButton = (element) => element.matches('button, input[type=submit], input[type=image], [role=button]') && element.type !== 'reset' && shown(element) && opaque(element);
    if (group.form) {
      const own = [...elementsOf.call(group.form)].filter((element) => element.matches('button, input[type=submit], input[type=image]') && isButton(element));
      if (own.length) return own;
    }
    let around = parentOf(field);
    for (let level = 0; around && level < CLIMBED; level += 1, around = parentOf(around)) {
      const found = [...around.querySelectorAll('button, input[type=submit], [role=button]')].filter(isButton);
      if (found.length) return found;
    }
    return [];
  };
  const named = (button) => squash(`${nameOf(button)} ${button.value ?? ''}`);
  const buttonOf = (group, field) => {
    const all = buttonsOf(group, field).filter((button) => !OTHER_BUTTON.test(named(button)));
    const is = (pattern) => all.find((button) => pattern.test(named(button)) && !NEW_ACCOUNT.test(named(button)));
    return is(SIGN_IN) ?? is(ONWARD) ?? all.find((button) => button.type === 'submit') ?? (all.length === 1 ? all[0] : null);
  };
  const makesAccounts = (group, field) => {
    const buttons = buttonsOf(group, field).map(named);
    return buttons.some((name) => NEW_ACCOUNT.test(name)) && !buttons.some((name) => SIGN_IN.test(name));
  };

  const ofGroup = (group) => {
    const passwords = group.usable.filter(isPassword);
    const codes = group.usable.filter(isCode);
    const boxes = group.usable.filter((field) => field.maxLength === 1 && field.type !== 'email');
    const lone = passwords.length === 1 && !group.fields.some((field) => field.type === 'password' && isNew(field));
    if (lone && !makesAccounts(group, passwords[0])) {
      const before = group.usable.slice(0, group.usable.indexOf(passwords[0])).filter(isUser);
      const user = group.usable.filter(isUser).find(surely) ?? before.find((field) => field.type === 'email') ?? before.findLast((field) => USER.test(wordsOf(field))) ?? before.at(-1);
      return { stage: 'password', rank: 4, user, fields: [passwords[0]], group };
    }
    if (passwords.length) return null;
    if (boxes.length >= 4 && boxes.length <= 10) return { stage: 'code', rank: 3, fields: boxes, group };
    if (codes.length === 1) return { stage: 'code', rank: 3, fields: codes, group };
    const users = group.usable.filter((field) => isUser(field) && (surely(field) || field.type === 'email' || USER.test(wordsOf(field))));
    if (users.length !== 1 || makesAccounts(group, users[0])) return null;
    const about = squash([group.form ? [attributeOf.call(group.form, 'id'), attributeOf.call(group.form, 'name'), attributeOf.call(group.form, 'class'), attributeOf.call(group.form, 'action')].join(' ') : '', location.pathname, document.title, ...buttonsOf(group, users[0]).map(named)].join(' '));
    if (!purposes(users[0]).includes('username') && !SIGN_IN.test(about)) return null;
    return { stage: 'username', rank: 1, user: users[0], fields: [], group };
  };
  const recognise = () => groups().map(ofGroup).filter(Boolean).reduce((best, next) => (best && best.rank >= next.rank ? best : next), null);

  const destinationOf = (found, button = buttonOf(found.group, found.fields[0] ?? found.user)) => {
    if (!found.group.form) return null;
    const written = button?.getAttribute('formaction') ?? attributeOf.call(found.group.form, 'action');
    try {
      const url = new URL(written || document.URL, document.baseURI);
      return ['http:', 'https:'].includes(url.protocol) ? url.origin : null;
    } catch { return null; }
  };
  const ancestors = () => [...location.ancestorOrigins];
  const complaint = () => {
    const all = [...rootsOf()].flatMap((root) => [...root.querySelectorAll('[role=alert], [aria-live=assertive]')]);
    return short(all.filter(shown).map((element) => squash(textOf(element))).find((text) => text) ?? '', 160);
  };

  // What there is to fill in, by names; null where there is nothing.
  const look = () => {
    const found = recognise();
    if (!found) return null;
    return { stage: found.stage, document: documentName, origin: self.origin, ancestors: ancestors(), destination: destinationOf(found), complaint: complaint() };
  };

  // ---- writing, at the place that was looked at and nowhere else ----

  const isPlace = (plan) => self.origin === plan.origin && documentName === plan.document && ancestors().join() === plan.ancestors.join();
  const leads = (destination, plan) => destination === null || destination === self.origin || destination === plan.destination;
  const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  const write = (field, value, isSecret) => {
    fieldName(field);
    field.focus({ preventScroll: true });
    if (isSecret) {
      noteTyped(field);
      filledIn.add(field);
    }
    setValue.call(field, value);
    if (isSecret) remember(field);
    inform(field);
  };
  const fill = (plan) => {
    if (!isPlace(plan)) return { why: `the page is not the one that was looked at any more; it is of ${self.origin}`, moved: true };
    const found = recognise();
    if (!found || found.stage !== plan.stage) return { why: 'its form changed while it was looked at', moved: true };
    const destination = destinationOf(found);
    if (!leads(destination, plan)) return { why: `its form sends what is filled in to ${destination}`, moved: true };
    const secrets = found.stage === 'code' && found.fields.length > 1 ? [...plan.secret].map((digit, at) => [found.fields[at], digit]) : found.fields.map((field) => [field, plan.secret]);
    if (secrets.some(([field]) => !field)) return { why: 'its fields for the code are fewer than its digits' };
    const all = [...(found.user ? [found.user] : []), ...secrets.map(([field]) => field)];
    const hidden = all.find((field) => !reached(field));
    if (hidden) return { why: `its field "${fieldName(hidden)}" is covered or out of sight` };
    if (found.user && found.user.value !== plan.username) write(found.user, plan.username, false);
    for (const [field, value] of secrets) write(field, value, true);
    return { filled: all.map(fieldName) };
  };

  // Sends the form as a person would. One that would carry the password elsewhere, or in an address, is stopped.
  const send = (plan) => {
    if (!isPlace(plan)) return { sent: true };
    const found = recognise();
    // It went by itself, or holds no longer what was filled in.
    if (!found || found.stage !== plan.stage || ![...found.fields, ...(found.stage === 'username' ? [found.user] : [])].every((field) => field.value !== '')) return { sent: true };
    const button = buttonOf(found.group, found.fields[0] ?? found.user);
    if (button && disabled(button)) return { why: `its button "${short(named(button), 40)}" is disabled`, retry: true };
    if (!leads(destinationOf(found, button), plan)) return { why: `its form sends what is filled in to ${destinationOf(found, button)}`, moved: true };
    let why = null;
    const judge = (event) => {
      const form = event.target;
      if (event.defaultPrevented || form !== found.group.form) return;
      const method = (event.submitter?.getAttribute('formmethod') ?? attributeOf.call(form, 'method') ?? 'get').toLowerCase();
      if (!leads(destinationOf(found, event.submitter), plan)) why = `its form sends what is filled in to ${destinationOf(found, event.submitter)}`;
      else if (method !== 'post' && method !== 'dialog' && found.stage !== 'username') why = 'its form would put what is filled in into an address';
      if (why) event.preventDefault();
    };
    addEventListener('submit', judge);
    try {
      if (button) button.click();
      else if (found.group.form) HTMLFormElement.prototype.requestSubmit.call(found.group.form);
      else {
        (found.fields.at(-1) ?? found.user).focus();
        return { enter: true };
      }
    } finally {
      removeEventListener('submit', judge);
    }
    return why ? { why } : { sent: true };
  };

  // ---- a sign-in that a person types: told when it is sent and at the hand-back, and to nobody but the runtime ----

  const LONGEST = 1_000;
  // The name of the way there is known to no page and to no client.
  let told = { words: '', until: 0 };
  const tell = (message) => {
    const words = JSON.stringify({ origin: self.origin, ...message });
    // One press of Enter is a key, a click and two events of the form.
    if (words === told.words && performance.now() < told.until) return;
    told = { words, until: performance.now() + 1_000 };
    globalThis[globalThis.batonKeeps]?.(words);
  };
  const tellTyped = (found) => {
    if (!found || found.stage === 'code') return;
    const user = found.user ? typedNow(found.user) || found.user.value : '';
    const password = found.stage === 'password' ? typedNow(found.fields[0]) : '';
    if (Math.max(user.length, password.length) > LONGEST) return;
    const place = { ancestors: ancestors(), destination: destinationOf(found) };
    if (password !== '') tell({ kind: 'password', username: squash(user), password, ...place });
    else if (found.stage === 'username' && typedNow(found.user) !== '') tell({ kind: 'username', username: squash(user) });
  };
  // A form that asks again for a password was refused; one that holds what was typed may yet be sent.
  const typed = () => {
    const found = recognise();
    if (found?.stage !== 'password') return tellTyped(found);
    if (typedNow(found.fields[0]) === '' || complaint() !== '') tell({ kind: 'again' });
    else tellTyped(found);
  };
  const ofForm = (event) => {
    if (!event.isTrusted || !(event.target instanceof HTMLFormElement)) return;
    const found = recognise();
    if (found?.group.form === event.target) tellTyped(found);
  };
  // Where a page sends without a form, a person presses its button, or Enter.
  const pressed = (event) => {
    const target = event.composedPath()[0];
    if (!event.isTrusted || !(target instanceof Element) || (event.type === 'keydown' && event.key !== 'Enter')) return;
    const found = recognise();
    const field = found?.fields[0] ?? found?.user;
    if (!field) return;
    const parts = event.type === 'keydown' ? [found.user, ...found.fields].filter(Boolean) : buttonsOf(found.group, field);
    if (parts.some((part) => within(part, target))) tellTyped(found);
  };
  for (const [type, listener] of [['submit', ofForm], ['formdata', ofForm], ['click', pressed], ['keydown', pressed]]) addEventListener(type, (event) => baton.records() && listener(event), { capture: true, passive: true });

  baton.signIn = Object.freeze({ look: saying(look), fill: saying(fill), send: saying(send), typed });
})();
