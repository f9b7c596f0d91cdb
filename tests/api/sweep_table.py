"""What each operation answers everybody who could ask: the whole table of access, by hand."""

# 2: done; else the last digit of 401, 403, 404. Who asks, in this order:
#   nobody, an expired and a revoked token; somebody outside of the space; its owner, steward, researcher, the
#   researcher who made the data set, its auditor; administrator and support of the platform; then somebody who may,
#   with a token that lacks the scope, and with a token of another space.
WHO = tuple(
    "nobody expired revoked outsider owner steward researcher creator auditor admin support scopeless elsewhere".split()  # noqa: SIM905 a column each
)
EXPECTED = """
person.create             111 3 33333 23 33
person.list               111 3 33333 22 33
person.show               111 3 33333 22 33
person.edit               111 3 33333 23 33
person.invite             111 3 33333 22 33
person.disable            111 3 33333 23 33
person.enable             111 3 33333 23 33
person.sign_in            111 1 11111 11 11
device.begin              222 2 22222 22 22
device.claim              111 1 11111 11 11
person.remove             111 3 33333 23 33
session.list              111 2 22222 22 32
session.end               111 2 22222 22 32
passkey.list              111 2 22222 22 32
passkey.remove            111 2 22222 22 32
terms.show                111 2 22222 22 32
terms.accept              111 2 22222 22 32
mfa.show                  111 2 22222 22 32
mfa.enrol                 111 2 22222 22 32
mfa.confirm               111 2 22222 22 32
mfa.prove                 111 2 22222 22 32
mfa.remove                111 2 22222 22 32
mfa.reset                 111 3 33333 23 33
token.create              111 2 22222 22 32
token.list                111 2 22222 22 32
token.revoke              111 2 22222 22 22
space.create              111 2 22222 22 33
space.list                111 2 22222 22 32
space.show                111 4 22222 22 34
space.edit                111 4 23333 23 34
member.add                111 4 23333 23 34
member.list               111 4 22332 23 34
member.edit               111 4 23333 23 34
member.remove             111 4 23333 23 34
mapping.add               111 3 33333 23 33
mapping.list              111 3 33333 22 33
mapping.remove            111 3 33333 23 33
dataset.create            111 4 22223 33 34
dataset.list              111 2 22222 22 32
dataset.show              111 4 22222 22 34
dataset.edit              111 4 22323 33 34
dataset.finalize          111 4 22323 33 34
dataset.promote           111 4 22323 33 34
dataset.delete            111 4 22323 33 34
dataset.request_deletion  111 4 22323 33 34
dataset.withdraw_deletion 111 4 22323 33 34
dataset.confirm_deletion  111 4 22333 23 34
dataset.history           111 4 22222 22 34
dataset.contents          111 4 22222 33 34
dataset.connect           111 4 22223 33 34
key.issue                 111 4 22323 33 34
key.list                  111 4 22322 32 34
key.reset                 111 4 22323 32 34
key.renew                 111 4 22323 33 34
key.revoke                111 4 22323 33 34
transfer.open             111 4 22323 33 34
transfer.renew            111 4 22323 33 34
transfer.record           111 4 22323 33 34
transfer.close            111 4 22323 33 34
transfer.list             111 4 22322 32 34
transfer.show             111 4 22322 32 34
transfer.recorded         111 4 22222 33 34
attachment.add            111 4 22323 33 34
attachment.list           111 4 22222 33 34
attachment.link           111 4 22222 33 34
attachment.remove         111 4 22323 33 34
attachment.supersede      111 4 22323 33 34
server.offerings          111 2 22222 22 32
server.create             111 4 22333 33 34
server.enrol              111 4 22333 33 34
server.rejoin             111 4 22333 33 34
server.list               111 2 22222 22 32
server.show               111 4 22222 22 34
server.edit               111 4 22333 33 34
server.start              111 4 22223 33 34
server.stop               111 4 22223 33 34
server.disable            111 4 22333 23 34
server.enable             111 4 22333 33 34
server.delete             111 4 22333 33 34
server.certify            111 4 22223 33 34
grant.create              111 4 22323 33 34
grant.list                111 4 22222 22 34
grant.edit                111 4 22323 33 34
grant.revoke              111 4 22323 23 34
agent.join                111 1 11111 11 11
agent.heartbeat           111 1 11111 11 11
agent.credentials         111 1 11111 11 11
agent.manifest            111 1 11111 11 11
agent.download            222 2 22222 22 22
manifest.show             111 4 22222 33 34
manifest.download         111 4 22222 33 34
receipt.show              111 4 22222 33 34
crate.show                111 4 22222 33 34
fixity.start              111 4 22323 33 34
fixity.list               111 4 22222 33 34
fixity.show               111 4 22222 33 34
receipt.key               222 2 22222 22 22
audit.list                111 4 23332 23 34
audit.export              111 4 23332 23 34
audit.verify              111 4 23332 23 34
system.status             111 3 33333 22 33
"""
TABLE = {line.split()[0]: "".join(line.split()[1:]) for line in EXPECTED.strip().splitlines()}
