/** `npx skerry identity-key …`: the keys by which the gateway tells services who calls. */
import { Command } from "commander";
import { type IdentityJwk, publicJwks, readPrivateKeys } from "#shared/identity/identity-keys.ts";
import { CliFailure } from "../failure.ts";
import { newIdentityKey } from "../identity-keys.ts";
import type { Session } from "./session.ts";

export const identityKeyCommands = ({ terminal }: Session): Command => {
  const key = new Command("identity-key").summary("keys by which the gateway tells services who calls");
  key.description("Makes the keys of a deployed gateway. It asks nobody; a local start makes its own.");

  key
    .command("new")
    .summary("print a new private key, as the gateway's IDENTITY_PRIVATE_KEYS")
    .action(() => {
      terminal.out.write(`${JSON.stringify({ keys: [newIdentityKey()] })}\n`);
    });

  key
    .command("public")
    .summary("print the public halves of what standard input has, as the services' IDENTITY_KEYS")
    .action(async () => {
      const keys = privateKeysIn(await terminal.readInput());
      terminal.out.write(`${JSON.stringify(publicJwks(keys))}\n`);
    });
  return key;
};

const privateKeysIn = (text: string): readonly IdentityJwk[] => {
  try {
    return readPrivateKeys(text);
  } catch (error) {
    throw new CliFailure(`cannot read standard input: ${(error as Error).message}`);
  }
};
