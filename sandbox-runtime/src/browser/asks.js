// Runs in the page's own world, before the page. Functions that bring up a dialog of the browser's own say so to the page
// script, by an event whose name no page knows; what no one here could answer is refused as a person's "cancel" would be.
(() => {
  const { apply } = Reflect;
  const { dispatchEvent } = EventTarget.prototype;
  const { resolve: resolved } = Promise;
  const { then } = Promise.prototype;
  const [OwnEvent, OwnError, OwnPromise, target] = [Event, DOMException, Promise, globalThis];
  const tell = (what) => apply(dispatchEvent, target, [new OwnEvent(`BATON_ASKS-${what}`, { cancelable: true })]);
  const wrap = (holder, name, around) => {
    const own = holder && Object.getOwnPropertyDescriptor(holder, name);
    if (typeof own?.value !== 'function' || !own.configurable) return;
    Object.defineProperty(holder, name, { ...own, value: new Proxy(own.value, { apply: around }) });
  };

  // A call for a passkey waits until it is answered outside: with a no as a person's "cancel" would be, or by Chromium, which
  // then has what it needs. The page gets what came only when it is kept.
  const { stringify } = JSON;
  const { isView } = ArrayBuffer;
  const { fromCharCode } = String;
  const { addEventListener: listen } = EventTarget.prototype;
  const { replace, split } = String.prototype;
  const [OwnCustomEvent, OwnBytes, toBase64] = [CustomEvent, Uint8Array, btoa];
  const sayOf = (what, detail) => apply(dispatchEvent, target, [new OwnCustomEvent(`BATON_ASKS-${what}`, { detail, cancelable: true })]);
  const nameOf = ({ id }) => {
    if (typeof id !== 'object') throw new OwnError('it is not bytes');
    const bytes = isView(id) ? new OwnBytes(id.buffer, id.byteOffset, id.byteLength) : new OwnBytes(id);
    let text = '';
    for (let at = 0; at < bytes.length; at += 1) text += fromCharCode(bytes[at]);
    text = toBase64(text);
    for (const [from, to] of [[/[+]/g, '-'], [/[/]/g, '_'], [/=/g, '']]) text = apply(replace, text, [from, to]);
    return text;
  };
  const described = (what, wanted) => {
    const listed = (what === 'get' ? wanted.allowCredentials : wanted.excludeCredentials) ?? [];
    const ids = [];
    for (let at = 0; at < listed.length; at += 1) ids[at] = nameOf(listed[at]);
    const site = what === 'get' ? wanted.rpId : wanted.rp?.id;
    return stringify({ what, site: site === undefined ? null : `${site}`, ids, user: `${wanted.user?.name ?? ''}` });
  };
  const waiting = { __proto__: null };
  let calls = 0;
  apply(listen, target, ['BATON_ASKS-passkey-answer', ({ detail }) => {
    const [call, answer] = apply(split, detail, [' ']);
    waiting[call]?.(answer);
  }, true]);
  const NO = 'The operation either timed out or was not allowed. See: https://www.w3.org/TR/webauthn-2/#sctn-privacy-considerations-client.';
  const KNOWN = 'The user attempted to register an authenticator that contains one of the credentials already registered with the relying party.';
  const asked = (what) => (native, self, given) => {
    const wanted = given[0];
    if (!wanted?.publicKey || wanted.mediation === 'conditional' || wanted.signal?.aborted) return apply(native, self, given);
    let ask;
    // What Chromium would not take either, it refuses itself.
    try { ask = described(what, wanted.publicKey); } catch { return apply(native, self, given); }
    const call = (calls += 1);
    return new OwnPromise((resolve, rejected) => {
      let made;
      const end = (how) => sayOf('passkey-end', `${call} ${how}`);
      const over = (settle) => { delete waiting[call]; settle(); };
      const refused = (name, why) => over(() => rejected(new OwnError(why, name)));
      const answers = {
        __proto__: null,
        go: () => {
          made = apply(native, self, given);
          apply(then, made, [() => end('made'), () => { end('failed'); over(() => resolve(made)); }]);
        },
        kept: () => over(() => resolve(made)),
        no: () => refused('NotAllowedError', NO),
        known: () => refused('InvalidStateError', KNOWN),
      };
      waiting[call] = (answer) => answers[answer]?.();
      if (wanted.signal) {
        apply(listen, wanted.signal, ['abort', () => {
          if (made || !waiting[call]) return;
          end('gone');
          over(() => rejected(wanted.signal.reason));
        }, { once: true }]);
      }
      // Without anyone who hears it, Chromium answers alone.
      if (sayOf('passkey', `${call} ${ask}`)) over(() => resolve(apply(native, self, given)));
    });
  };
  wrap(globalThis.CredentialsContainer?.prototype, 'get', asked('get'));
  wrap(globalThis.CredentialsContainer?.prototype, 'create', asked('create'));
  // A passkey can be made here, if the person agrees.
  wrap(globalThis.PublicKeyCredential, 'isUserVerifyingPlatformAuthenticatorAvailable', () => apply(resolved, OwnPromise, [true]));

  const { query } = globalThis.Permissions?.prototype ?? {};
  const { permissions } = navigator;
  // Tells of a bubble only where one comes: what was decided before is not asked again.
  const asks = (what, names) => {
    const state = { begun: false, over: false };
    const begin = ({ state: answer }) => {
      if (answer !== 'prompt' || state.begun || state.over) return;
      state.begun = true;
      tell(`permission-${what}`);
    };
    for (const name of query ? names : []) apply(then, apply(query, permissions, [{ name }]), [begin, () => {}]);
    return () => {
      state.over = true;
      if (state.begun) tell('permission-over');
    };
  };
  const asking = (what, names) => (native, self, given) => {
    const over = asks(what, names(given));
    const answer = apply(native, self, given);
    if (answer instanceof OwnPromise) apply(then, answer, [over, over]);
    else over();
    return answer;
  };
  wrap(globalThis.Notification, 'requestPermission', asking('notifications', () => ['notifications']));
  wrap(globalThis.MediaDevices?.prototype, 'getUserMedia', asking('camera or microphone', ([wanted]) => [...(wanted?.audio ? ['microphone'] : []), ...(wanted?.video ? ['camera'] : [])]));
  const place = (native, self, [found, failed, ...rest]) => {
    if (typeof found !== 'function') return apply(native, self, [found, failed, ...rest]);
    const over = asks('location', ['geolocation']);
    const after = (callback) => (...said) => { over(); if (typeof callback === 'function') apply(callback, undefined, said); };
    return apply(native, self, [after(found), after(failed), ...rest]);
  };
  wrap(globalThis.Geolocation?.prototype, 'getCurrentPosition', place);
  wrap(globalThis.Geolocation?.prototype, 'watchPosition', place);
})();
