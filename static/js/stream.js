// A turn's frames over a socket that may drop: resumes after the last number seen, so the text is exact to the byte.

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5000;
const GIVE_UP_AFTER = 8;

/**
 * @typedef {{n: number, a: string, b: string, whole?: boolean, end?: "complete" | "void"}} Frame
 * @typedef {{frame: (frame: Frame) => void, state: (word: "open" | "reconnecting" | "offline") => void, lost: () => void}} Listener
 */

export class TurnStream {
  /** @param {string} battle @param {string} turn @param {Listener} listener */
  constructor(battle, turn, listener) {
    this.battle = battle;
    this.turn = turn;
    this.listener = listener;
    this.after = 0;
    this.failures = 0;
    this.closed = false;
    this.onOnline = () => { if (this.socket) this.listener.state("open"); else this.connect(); };
    this.onOffline = () => this.listener.state("offline");
    addEventListener("online", this.onOnline);
    addEventListener("offline", this.onOffline);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    if (this.closed) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/battles/${this.battle}/${this.turn}/?after=${this.after}`);
    this.socket = socket;
    socket.onopen = () => this.listener.state("open");
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = () => this.dropped(socket);
  }

  /** @param {Frame & {error?: string}} frame */
  take(frame) {
    if (frame.error) return;
    this.failures = 0;
    this.after = frame.n;
    if (frame.end) this.close();
    this.listener.frame(frame);
  }

  /** @param {WebSocket} socket */
  dropped(socket) {
    if (this.closed || socket !== this.socket) return;
    this.socket = null;
    this.failures += 1;
    if (this.failures > GIVE_UP_AFTER) {
      this.failures = 0;
      this.listener.lost();
    }
    this.listener.state(navigator.onLine ? "reconnecting" : "offline");
    const pause = Math.min(FIRST_PAUSE * 2 ** (this.failures - 1), LONGEST_PAUSE);
    this.timer = setTimeout(() => this.connect(), pause * (0.8 + 0.4 * Math.random()));
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.onOnline);
    removeEventListener("offline", this.onOffline);
    this.socket?.close();
  }
}
