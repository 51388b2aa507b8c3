/**
 * SSH servers that misbehave once they have spoken the protocol properly up to some point.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";
import ssh2 from "ssh2";
import { newKeyPair } from "../../lib/openssh_key.ts";

/** A key for a host: its private text, and its line in known_hosts after the name. */
export interface HostKey {
  privateKey: string;
  publicKey: string;
}

/** Makes one. */
export const hostKey = (): HostKey => newKeyPair();

/** A channel of ssh2's server. */
export interface ServerChannel {
  stderr: { write(bytes: Uint8Array | string): boolean };
  write(bytes: Uint8Array | string): boolean;
  once(event: "drain" | "close", listener: () => void): void;
  exit(code: number): void;
  end(): void;
  close(): void;
}

/** A login as ssh2's server has it. */
export interface SshLogin {
  method: string;
  password?: string;
  accept(): void;
  reject(ways?: string[]): void;
  /** With `keyboard-interactive`: asks questions. */
  prompt(
    questions: { prompt: string; echo: boolean }[],
    onAnswers: (answers: string[]) => void,
  ): void;
}

/** What a server does, step by step; a step that is left out is done properly. */
export interface Steps {
  /** Text before the login. */
  banner?: string;
  /** What becomes of a login; it is let in unless told. */
  login?(login: SshLogin): void;
  /** What becomes of a command; it ends with 0 unless told. */
  command?(channel: ServerChannel, socket: Socket, command: string): void;
  /** What becomes of the request for a command. */
  request?(accept: () => ServerChannel, reject: () => void): void;
  /** Told of signals. */
  signal?(name: string): void;
}

/** A server that runs, for as many clients as come. */
export interface SshServer extends AsyncDisposable {
  port: number;
  /** What it was told as passwords. */
  passwords: string[];
}

interface Session {
  on(event: string, listener: (...values: never[]) => void): void;
  _ending?: boolean;
}

/** Serves on a free port. */
export async function serveSsh(key: HostKey, steps: Steps = {}): Promise<SshServer> {
  const passwords: string[] = [];
  const sockets = new Set<Socket>();

  const talk = (session: Session, socket: Socket) => {
    const signal = (_: unknown, __: unknown, { name }: { name: string }) => steps.signal?.(name);
    session.on("signal", signal as never);
    // else ssh2 hears nothing more of a client that has nothing more to say to the command
    session.on("eof", () => session._ending = false);
    const exec = (accept: () => ServerChannel, reject: () => void, about: { command: string }) => {
      if (steps.request) return steps.request(accept, reject);
      const channel = accept();
      if (steps.command) return steps.command(channel, socket, about.command);
      channel.exit(0);
      channel.end();
    };
    session.on("exec", exec as never);
  };
  const server = new ssh2.Server({ hostKeys: [key.privateKey], banner: steps.banner });
  server.on("connection", (client: Session & { _sock: Socket }) => {
    const socket = client._sock;
    client.on("error", () => {});
    const judge = (login: SshLogin) => {
      if (login.password !== undefined) passwords.push(login.password);
      if (steps.login) steps.login(login);
      else login.accept();
    };
    client.on("authentication", judge as never);
    client.on("session", ((accept: () => Session) => talk(accept(), socket)) as never);
  });
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    server.injectSocket(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    passwords,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}
