"""A certificate that anybody can make: self-signed, for a key of one's own. No authority stands in here."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, RSAKey

VALID = datetime.timedelta(days=30)


def self_signed(pair: RSAKey | ECKey) -> bytes:
    """The certificate of an RSA key pair, in DER (RFC 5280)."""
    key = serialization.load_pem_private_key(pair.as_pem(private=True), password=None)
    assert isinstance(key, RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "id.stranger.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - VALID).not_valid_after(now + VALID)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
