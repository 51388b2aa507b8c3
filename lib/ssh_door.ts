/**
 * The door of an SSH server: takes TCP connections, and hands those that speak SSH to the library ssh2. That
 * library trusts its clients: what one may cost is limited here.
 *
 * @module
 */

import ssh2 from "ssh2";
import { after } from "./deadline.ts";
import { explain } from "./errors.ts";
import { SessionChannel } from "./ssh_channel.ts";
import {
  type Accept,
  ALGORITHMS,
  type PendingLogin,
  type RawClient,
  type Session,
} from "./ssh2_server.ts";
import { SshSocket } from "./ssh_socket.ts";
import { serve, type Server } from "./server.ts";

/** A client that has come in. */
export interface Visitor {
  /** Its address and port. */
  remote: string;
  /** Aborted when it has gone. */
  gone: AbortSignal;
  /** Is asked for each login that the client tries. */
  onLogin(listener: (login: PendingLogin) => void): void;
  /** Gets each session. */
  onSession(listener: (session: Session) => void): void;
  /** Accepts a session's request; nothing when it had one already. */
  open(session: Session, accept: Accept): SessionChannel | undefined;
  /** Sends the client away: too many logins failed. */
  dismiss(reason: string): void;
}

/** Where the door is, and what may come through it. */
export interface DoorOptions {
  hostname: string;
  port: number;
  /** The host's private key. */
  hostKey: string;
  /** How long a client may take to log in, in milliseconds. */
  loginTimeout: number;
  /** How many connections at once; further ones wait. */
  maxConnections: number;
  /** How many sessions at once a connection may have. */
  maxSessions: number;
  /** Told why a client was sent away, or what was wrong with what it sent. */
  onFault(remote: string, reason: string): void;
}

/** How long a client may take to agree on keys, in milliseconds: nobody types meanwhile. */
const HANDSHAKE = 10_000;
/** The smallest packets that a client may ask for, in bytes. */
const LEAST_PACKET = 1_024;
/** How long open connections may go on at the end, in milliseconds. */
const GRACE = 500;
const NO_MORE_METHODS = 14;

/** Opens the door; `enter` is called for each client that speaks SSH. */
export function openSshDoor(
  options: DoorOptions,
  enter: (visitor: Visitor) => void,
): Promise<Server> {
  const { hostname, port, hostKey, maxConnections, onFault } = options;
  const sockets = new Map<string, SshSocket>();
  const server = new ssh2.Server(
    { hostKeys: [hostKey], algorithms: ALGORITHMS, ident: "lecture" },
    (client: RawClient, { ip }: { ip: string }) => {
      enter(visitorOf(client, sockets.get(ip)!, options));
    },
  );
  // an SSH connection may be quiet for hours: ssh2 asks every 15 s whether the client is still there
  const settings = { hostname, port, maxConnections, idleTimeout: Infinity, grace: GRACE };
  return serve({
    ...settings,
    onError: (error, connection) => onFault(connection?.remote ?? "server", explain(error).reason),
  }, async (connection) => {
    const socket = new SshSocket(connection);
    sockets.set(connection.remote, socket);
    try {
      server.injectSocket(socket);
      using _deadline = after(HANDSHAKE, () => {
        if (socket.welcome) return;
        onFault(connection.remote, `no key exchange within ${HANDSHAKE / 1000} s`);
        socket.destroy();
      });
      await socket.run();
    } finally {
      sockets.delete(connection.remote);
    }
  });
}

function visitorOf(client: RawClient, socket: SshSocket, options: DoorOptions): Visitor {
  const { loginTimeout, maxSessions, onFault } = options;
  const remote = socket.remoteAddress;
  const leaving = new AbortController();
  const dropFor = (reason: string) => {
    onFault(remote, reason);
    socket.destroy();
  };
  const deadline = after(loginTimeout, () => dropFor(`no login within ${loginTimeout / 1000} s`));
  let agreed = Promise.withResolvers<void>();
  client.on("handshake", () => {
    socket.welcome = true;
    agreed.resolve();
    agreed = Promise.withResolvers();
  });
  /** Settles when more may be sent: little waits in the socket, and no new keys are being agreed on. */
  const ready = async () => {
    while (client._protocol._kexinit && !leaving.signal.aborted) await agreed.promise;
    await socket.flushed();
  };
  client.on("ready", () => deadline[Symbol.dispose]());
  client.on("error", (error) => onFault(remote, whyBroken(error)));
  const left = () => {
    deadline[Symbol.dispose]();
    leaving.abort();
    agreed.resolve();
  };
  // after the one as after the other, ssh2 throws when something is still to be sent
  client.on("end", left).on("close", left);
  allowSecondTry(client);
  answerLateRequests(client);
  const sessions = new Map<Session, AbortController>();
  return {
    remote,
    gone: leaving.signal,
    onLogin: (listener) => void client.on("authentication", listener),
    onSession: (listener) =>
      void client.on("session", (accept, reject) => {
        if (sessions.size >= maxSessions) return reject();
        const session = accept();
        const { packetSize } = session._chanInfo.outgoing;
        // ssh2 would never come to an end with packets that hold nothing
        if (packetSize < LEAST_PACKET) {
          return dropFor(`it takes packets of ${packetSize} bytes only`);
        }
        const closing = new AbortController();
        sessions.set(session, closing);
        session.on("close", () => {
          closing.abort();
          sessions.delete(session);
          if (session._channel) return;
          // ssh2 forgets to answer, and to forget, a session in which nothing was started
          client._protocol.channelClose(session._chanInfo.outgoing.id);
          client._chanMgr.remove(session._chanInfo.incoming.id);
        });
        // ssh2 takes the end of the input for the end of the session, and would refuse signals
        session.on("eof", () => session._ending = !session._channel);
        listener(session);
      }),
    open: (session, accept) => {
      const raw = accept();
      if (!raw) return;
      const gone = AbortSignal.any([leaving.signal, sessions.get(session)!.signal]);
      return new SessionChannel(raw, gone, ready, (error) => dropFor(error.message));
    },
    dismiss: (reason) => {
      onFault(remote, reason);
      client._protocol.disconnect(NO_MORE_METHODS);
      socket.end();
    },
  };
}

function whyBroken(error: Error & { code?: string | number }): string {
  if (error.message === "KEY_EXCHANGE_FAILED") {
    return "the client broke off: it does not take this host key, or has no algorithm in common with us";
  }
  // a number comes with the client's own words
  if (typeof error.code === "number") return `the client broke off: ${error.message}`;
  return explain(error).reason;
}

/**
 * Some clients, paramiko among them, begin each try to log in by asking for the service anew. ssh2 takes that
 * for a fault, OpenSSH does not.
 */
function allowSecondTry(client: RawClient): void {
  const { _protocol: protocol } = client;
  const { SERVICE_REQUEST: first } = protocol._handlers;
  let asked = false;
  protocol._handlers.SERVICE_REQUEST = (its, service) => {
    const again = asked && !client.authenticated && service === "ssh-userauth";
    asked = true;
    if (again) protocol.serviceAccept(service);
    else first(its, service);
  };
}

/**
 * Only one program runs in a session, and what comes with it comes before it. ssh2 leaves a request that comes
 * later without an answer, for which the client would wait for ever.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4254#section-6.5
 */
function answerLateRequests(client: RawClient): void {
  const { _protocol: protocol } = client;
  const { CHANNEL_REQUEST: first } = protocol._handlers;
  protocol._handlers.CHANNEL_REQUEST = (its, recipient, type, wantsReply, about) => {
    const session = client._chanMgr.get(recipient);
    const late = session?._channel !== undefined || session?._ending;
    if (!late || type === "signal") first(its, recipient, type, wantsReply, about);
    if (!late || !wantsReply) return;
    const { id } = session!._chanInfo!.outgoing;
    if (type === "signal") protocol.channelSuccess(id);
    else protocol.channelFailure(id);
  };
}
