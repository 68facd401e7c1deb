// Runs in the page's own world, before the page. Functions that bring up a dialog of the browser's own say so to the page
// script, by an event whose name no page knows; what no one here could answer is refused as a person's "cancel" would be.
(() => {
  const { apply } = Reflect;
  const { dispatchEvent } = EventTarget.prototype;
  const { reject } = Promise;
  const { then } = Promise.prototype;
  const [OwnEvent, OwnError, OwnPromise, target] = [Event, DOMException, Promise, globalThis];
  const tell = (what) => apply(dispatchEvent, target, [new OwnEvent(`BATON_ASKS-${what}`, { cancelable: true })]);
  const wrap = (holder, name, around) => {
    const own = holder && Object.getOwnPropertyDescriptor(holder, name);
    if (typeof own?.value !== 'function' || !own.configurable) return;
    Object.defineProperty(holder, name, { ...own, value: new Proxy(own.value, { apply: around }) });
  };

  // There is no authenticator in the room: a sheet would stand until somebody closes it.
  const refusing = (native, self, given) => {
    const wanted = given[0];
    if (!wanted?.publicKey || wanted.mediation === 'conditional' || tell('passkey')) return apply(native, self, given);
    const why = 'The operation either timed out or was not allowed. See: https://www.w3.org/TR/webauthn-2/#sctn-privacy-considerations-client.';
    return apply(reject, OwnPromise, [new OwnError(why, 'NotAllowedError')]);
  };
  wrap(globalThis.CredentialsContainer?.prototype, 'get', refusing);
  wrap(globalThis.CredentialsContainer?.prototype, 'create', refusing);

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
