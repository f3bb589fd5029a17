/** A certificate authority of a test's own, and a certificate of it for servers on this machine. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "./temporary-folder.ts";

export interface TestCertificates {
  /** The authority's certificate, in PEM. */
  readonly ca: string;
  /** Paths of the authority's certificate, the server's, and its key. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  remove(): Promise<void>;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** For `localhost` and 127.0.0.1, valid for a day. @throws Error when there is no `openssl` */
export const testCertificates = async (): Promise<TestCertificates> => {
  const folder = await temporaryFolder("certificates");
  const at = (name: string) => join(folder.path, name);
  const openssl = (...args: string[]) => promisify(execFile)("openssl", args, { cwd: folder.path });
  await openssl(
    "req",
    "-x509",
    ...KEY,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "1",
    "-subj",
    "/CN=ca",
  );
  await openssl("req", ...KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server");
  await writeFile(at("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  await openssl(
    ...["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
    ...["-out", "server.pem", "-days", "1", "-extfile", "names"],
  );
  return {
    ca: await readFile(at("ca.pem"), "utf8"),
    caFile: at("ca.pem"),
    certFile: at("server.pem"),
    keyFile: at("server.key"),
    remove: folder.remove,
  };
};
