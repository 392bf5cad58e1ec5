/** Makes key pairs and signs certificates (RFC 5280), as small as clients ask them to be. */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, contentOf, explicit, implicit, integer, membersOf, objectIdentifier, octetString, sequence, setOf, text, time, TRUE } from './der.ts';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What a certificate is asked to say. */
export interface CertificateRequest {
  /** Common name: for a client the user name. */
  readonly commonName: string;
  /** Organisations: for a client its groups. */
  readonly organizations?: readonly string[] | undefined;
  /** Names and addresses a server answers to; a client has none. */
  readonly hosts?: readonly string[] | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** As kubeadm: authority ten years. The leaves live as long, since nothing here rotates them. */
const VALIDITY_MS = 3650 * DAY_MS;
/** A clock a little behind the one that signed must not refuse the certificate. */
const BACKDATE_MS = 60 * 60 * 1000;

/** RFC 5480 and RFC 5758. */
const CURVE = 'P-256';
const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
/** Version 3 is written as 2. */
const VERSION_3 = explicit(0, integer(Uint8Array.of(2)));
/** X.520. */
const [COMMON_NAME, ORGANIZATION] = [objectIdentifier('2.5.4.3'), objectIdentifier('2.5.4.10')];
/** RFC 5280, 4.2.1. */
const SUBJECT_KEY_IDENTIFIER = objectIdentifier('2.5.29.14');
const KEY_USAGE = objectIdentifier('2.5.29.15');
const SUBJECT_ALTERNATIVE_NAME = objectIdentifier('2.5.29.17');
const BASIC_CONSTRAINTS = objectIdentifier('2.5.29.19');
const AUTHORITY_KEY_IDENTIFIER = objectIdentifier('2.5.29.35');
const EXTENDED_KEY_USAGE = objectIdentifier('2.5.29.37');
const SERVER_AUTHENTICATION = objectIdentifier('1.3.6.1.5.5.7.3.1');
const CLIENT_AUTHENTICATION = objectIdentifier('1.3.6.1.5.5.7.3.2');
/** Bits of the key usage: the first of the byte is digitalSignature, the sixth and seventh keyCertSign and cRLSign. */
const SIGNS = bitString(Uint8Array.of(0b1000_0000), 7);
const SIGNS_CERTIFICATES = bitString(Uint8Array.of(0b1000_0110), 1);
/** Places in a GeneralName. */
const [DNS_NAME, IP_ADDRESS] = [2, 7];

/** Stands above the certificate of a server for each of its hosts. Text between PEM blocks is commentary; it spares parsing the certificate to learn its hosts. */
export function hostComment(host: string): string {
  return `# host ${host}\n`;
}

/** A new authority of this name. */
export function selfSigned(commonName: string): KeyPair {
  const keys = generateKeyPairSync('ec', { namedCurve: CURVE });
  const name = nameOf({ commonName });
  const extensions = [
    critical(BASIC_CONSTRAINTS, sequence(TRUE)),
    critical(KEY_USAGE, SIGNS_CERTIFICATES),
    extension(SUBJECT_KEY_IDENTIFIER, octetString(keyIdentifier(keys.publicKey))),
  ];
  return pairOf(certificate({ issuer: name, subject: name, publicKey: keys.publicKey, extensions }, keys.privateKey), keys.privateKey);
}

/** A new key pair that `authority` vouches for; throws when its key is none for ECDSA. */
export function signedBy(authority: KeyPair, request: CertificateRequest): KeyPair {
  const { hosts = [] } = request;
  const signer = createPrivateKey(authority.keyPem);
  if (signer.asymmetricKeyType !== 'ec') throw new Error('the key of the certificate authority is of another kind than ECDSA');
  const issuer = new X509Certificate(authority.certPem);
  const keys = generateKeyPairSync('ec', { namedCurve: CURVE });
  const usages = request.hosts === undefined ? [CLIENT_AUTHENTICATION] : [SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION];
  const extensions = [
    critical(BASIC_CONSTRAINTS, sequence()),
    critical(KEY_USAGE, SIGNS),
    extension(EXTENDED_KEY_USAGE, sequence(...usages)),
    extension(AUTHORITY_KEY_IDENTIFIER, sequence(implicit(0, keyIdentifier(issuer.publicKey)))),
  ];
  if (hosts.length > 0) extensions.push(extension(SUBJECT_ALTERNATIVE_NAME, sequence(...hosts.map(generalName))));
  const content = { issuer: subjectOf(issuer), subject: nameOf(request), publicKey: keys.publicKey, extensions };
  const pem = certificate(content, signer);
  return pairOf(hosts.map(hostComment).join('') + pem, keys.privateKey);
}

function pairOf(certPem: string, privateKey: KeyObject): KeyPair {
  return { certPem, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** What makes one certificate differ from another; names and extensions are written values. */
interface Content {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

/** The certificate in PEM. */
function certificate({ issuer, subject, publicKey, extensions }: Content, signer: KeyObject): string {
  const nowMs = Date.now();
  const validity = sequence(time(nowMs - BACKDATE_MS), time(nowMs + VALIDITY_MS));
  const keyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const signed = sequence(VERSION_3, serialNumber(), ECDSA_WITH_SHA256, issuer, validity, subject, keyInfo, explicit(3, sequence(...extensions)));
  return new X509Certificate(sequence(signed, ECDSA_WITH_SHA256, bitString(sign('sha256', signed, signer)))).toString();
}

/** Sixteen random bytes, positive as RFC 5280 4.1.2.2 wants. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return integer(bytes);
}

function nameOf({ commonName, organizations = [] }: CertificateRequest): Uint8Array {
  const attributes = [...organizations.map((organization) => sequence(ORGANIZATION, text(organization))), sequence(COMMON_NAME, text(commonName))];
  return sequence(...attributes.map(setOf));
}

/** The subject as it stands in a certificate: as an issuer it must be repeated byte by byte. Before it: version, serial number, algorithm, issuer, validity. */
function subjectOf({ raw }: X509Certificate): Uint8Array {
  const [signed = raw] = membersOf(raw);
  return membersOf(signed)[5] ?? sequence();
}

/** The SHA-1 of the bits of the key (RFC 5280, 4.2.1.2, the first way): a name for it, not a protection. */
function keyIdentifier(publicKey: KeyObject): Uint8Array {
  const [, bits = new Uint8Array()] = membersOf(publicKey.export({ type: 'spki', format: 'der' }));
  return createHash('sha1').update(contentOf(bits).subarray(1)).digest();
}

function critical(id: Uint8Array, content: Uint8Array): Uint8Array {
  return sequence(id, TRUE, octetString(content));
}

function extension(id: Uint8Array, content: Uint8Array): Uint8Array {
  return sequence(id, octetString(content));
}

function generalName(host: string): Uint8Array {
  return isIP(host) === 0 ? implicit(DNS_NAME, Buffer.from(host)) : implicit(IP_ADDRESS, addressBytes(host));
}

/** Four bytes of an IPv4 address, sixteen of an IPv6 one. */
function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
  // The URL writes every form of the address in groups of hexadecimal digits, the longest row of zeros as `::`.
  const [head = [], tail = []] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((groups) => groups.split(':').filter((group) => group !== ''));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Uint8Array.from(groups.map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 0xff]));
}
