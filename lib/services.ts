/**
 * The names of ports, as a services file gives them: `http  80/tcp  www  # a comment`.
 *
 * @see {@link https://man7.org/linux/man-pages/man5/services.5.html services(5)}
 * @module
 */

/** One line of a services file: a port of one transport protocol, and what it is called. */
export interface Service {
  /** The official name. */
  name: string;
  port: number;
  /** `tcp`, `udp`, now and then `sctp` or `dccp`. */
  protocol: string;
  /** Its other names. */
  aliases: string[];
}

/**
 * Reads the text of a services file. Empty lines, comments and lines that are no services are passed over,
 * as the C library does.
 *
 * @example
 * ```ts
 * import { parseServices } from "./services.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseServices("# well known\nhttp  80/tcp  www # WorldWideWeb HTTP\n"), [
 *   { name: "http", port: 80, protocol: "tcp", aliases: ["www"] },
 * ]);
 * ```
 */
export function parseServices(text: string): Service[] {
  return text.split("\n").flatMap((line) => {
    const [name, place, ...aliases] = line.replace(/#.*/s, "").trim().split(/\s+/);
    const [, digits, protocol] = /^(\d{1,5})\/([^\s/]+)$/.exec(place ?? "") ?? [];
    const port = Number(digits);
    if (!name || !protocol || port > 65_535) return [];
    return [{ name, port, protocol, aliases }];
  });
}

/** Where Linux, macOS and the BSDs keep the file. */
export const SERVICES_FILE = "/etc/services";

/** What to use on a system without such a file: ports that everybody knows, and those of these lessons. */
export const WELL_KNOWN: readonly Service[] = parseServices(`
  echo         7/tcp
  echo         7/udp
  ftp-data    20/tcp
  ftp         21/tcp
  ssh         22/tcp
  telnet      23/tcp
  smtp        25/tcp    mail
  time        37/tcp    timserver
  domain      53/tcp
  domain      53/udp
  bootps      67/udp
  bootpc      68/udp
  tftp        69/udp
  http        80/tcp    www
  pop3       110/tcp    pop-3
  ntp        123/udp
  imap2      143/tcp    imap
  snmp       161/udp
  https      443/tcp
  https      443/udp
  syslog     514/udp
  submission 587/tcp
  ldap       389/tcp
  imaps      993/tcp
  pop3s      995/tcp
  socks     1080/tcp
  mqtt      1883/tcp
  mysql     3306/tcp
  postgresql 5432/tcp   postgres
  mqtts     8883/tcp    secure-mqtt
  winrm     5985/tcp
`);

/**
 * The services of this system, in the order of its file; {@linkcode WELL_KNOWN} when it has none.
 *
 * @param path the file, {@linkcode SERVICES_FILE} unless told; reading it needs `--allow-read=PATH`
 * @throws {Deno.errors.NotCapable} without that permission: it is not taken for a file that is not there
 */
export async function readServices(
  path: string = SERVICES_FILE,
): Promise<{ services: readonly Service[]; source: string }> {
  try {
    return { services: parseServices(await Deno.readTextFile(path)), source: path };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { services: WELL_KNOWN, source: "the built-in table" };
  }
}

/**
 * The first service of that name, official or other: Python's `getservbyname`. Upper and lower case differ.
 *
 * @param protocol of this transport protocol only; of any unless told
 *
 * @example
 * ```ts
 * import { serviceByName, WELL_KNOWN } from "./services.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(serviceByName(WELL_KNOWN, "www")?.port, 80);
 * ```
 */
export function serviceByName(
  services: readonly Service[],
  name: string,
  protocol?: string,
): Service | undefined {
  return services.find((service) =>
    (service.name === name || service.aliases.includes(name)) &&
    (protocol === undefined || service.protocol === protocol)
  );
}

/** The first service at a port: Python's `getservbyport`; `protocol` as for {@linkcode serviceByName}. */
export function serviceByPort(
  services: readonly Service[],
  port: number,
  protocol?: string,
): Service | undefined {
  return services.find((service) =>
    service.port === port && (protocol === undefined || service.protocol === protocol)
  );
}
