/**
 * An inventory: the machines of a fleet, in groups, with variables; a file as Ansible's INI inventories.
 *
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
 * @module
 */

import { visible } from "./display.ts";
import { type Host, hostOf } from "./inventory_host.ts";
import { splitWords } from "./inventory_words.ts";
import { UsageError } from "./usage.ts";

const MOST_HOSTS = 10_000;
const NAME = /^[\p{L}\p{N}_.-]+$/u;

interface Group {
  hosts: string[];
  children: string[];
  variables: Record<string, string>;
}

/**
 * Reads an inventory.
 *
 * `[group]` begins a list of hosts, one a line, with variables behind: `web1 host=192.0.2.1 port=2222`.
 * `[group:vars]` begins variables, `[group:children]` names of groups. What a host says counts before what
 * its group says, a group before the one that it is a child of, and all before `[all:vars]`. The variables
 * `host`, `port`, `user` and `connection` say how it is reached, with or without Ansible's `ansible_`.
 *
 * @throws {UsageError} with the number of the line that is wrong
 *
 * @example
 * ```ts
 * import { parseInventory } from "./inventory.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const [web] = parseInventory("[web]\nweb1 port=2222\n[all:vars]\nuser=student\n");
 * assertEquals([web!.hostname, web!.port, web!.user], ["web1", 2222, "student"]);
 * ```
 */
export function parseInventory(text: string): Host[] {
  const own = new Map<string, Record<string, string>>();
  const groups = new Map<string, Group>();
  const group = (name: string) => {
    if (!groups.has(name)) groups.set(name, { hosts: [], children: [], variables: {} });
    return groups.get(name)!;
  };
  const children = new Map<string, number>();
  let [section, kind] = ["ungrouped", "hosts"];
  text.split(/\r?\n/).forEach((line, index) => {
    const fail = (reason: string) => {
      throw new UsageError(`line ${index + 1} of the inventory: ${reason}`);
    };
    const words = splitWords(line) ?? fail("a quote does not end");
    if (!words || words.length === 0) return;
    const [first, ...rest] = words as [string, ...string[]];
    const heading = /^\[([^\]:]*)(?::(vars|children))?\]$/.exec(words.join(" "));
    if (heading) {
      [, section, kind = "hosts"] = heading as unknown as [string, string, string?];
      if (!NAME.test(section)) fail(`a group cannot be called "${visible(section)}"`);
      group(section);
    } else if (kind === "children") {
      if (rest.length > 0 || !NAME.test(first)) fail("it must be the name of a group, and no more");
      group(section).children.push(first);
      if (!children.has(first)) children.set(first, index + 1);
    } else if (kind === "vars") {
      Object.assign(group(section).variables, variablesOf(splitWords(line, true)!, fail));
    } else {
      if (!NAME.test(first)) fail(`a host cannot be called "${visible(first).slice(0, 60)}"`);
      if (!own.has(first) && own.size === MOST_HOSTS) fail(`more than ${MOST_HOSTS} hosts`);
      const known = own.get(first) ?? {};
      own.set(first, Object.assign(known, variablesOf(rest, fail)));
      const { hosts } = group(section);
      if (!hosts.includes(first)) hosts.push(first);
    }
  });
  for (const [name, line] of children) {
    if (!groups.has(name)) {
      throw new UsageError(`line ${line} of the inventory: there is no group "${visible(name)}"`);
    }
  }
  return Array.from(own, ([name, variables]) => {
    const mine = groupsOf(name, groups);
    const inherited = [group("all"), ...mine.map(group)].map((each) => each.variables);
    const inOrder = Array.from(groups.keys()).filter((each) => mine.includes(each));
    return hostOf(name, inOrder, Object.assign({}, ...inherited, variables));
  });
}

function variablesOf(
  words: string[],
  fail: (reason: string) => void,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const word of words) {
    const found = /^\s*(?:ansible_)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/s.exec(word);
    if (!found || found[1] === "__proto__") {
      fail(`"${visible(word).slice(0, 60)}" is not of the form name=value`);
    } else if (/\p{Cc}/u.test(found[2]!)) fail(`${found[1]} has a control character`);
    else variables[found[1]!] = found[2]!;
  }
  return variables;
}

/** The groups of a host, each after those that it is a child of; also where they go round in a circle. */
function groupsOf(name: string, groups: Map<string, Group>): string[] {
  const seen = new Set(["all"]), sorted: string[] = [];
  const climb = (has: (group: Group) => boolean) => {
    for (const [parent, group] of groups) {
      if (seen.has(parent) || !has(group)) continue;
      seen.add(parent);
      climb(({ children }) => children.includes(parent));
      sorted.push(parent);
    }
  };
  climb(({ hosts }) => hosts.includes(name));
  return sorted;
}
