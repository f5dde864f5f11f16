// When an object's alarm goes off.

/**
 * Sets it for `atMs`, or for the next millisecond where that is over. An alarm that sets itself for the
 * moment for which it was set is taken for done when it ends, and never goes off again; what lies in the
 * past is set for now, which is that moment where the alarm is on time.
 * https://github.com/cloudflare/workerd/issues/6866
 * @param {DurableObjectStorage} storage
 * @param {number} atMs since 1970
 */
export function setAlarm(storage, atMs) {
  return storage.setAlarm(Math.max(atMs, Date.now() + 1));
}
