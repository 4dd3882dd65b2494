"""What a program does with python-etcd: keys, watches, a queue, a lock, an election by a key that
expires, members and users. Each step that does not hold ends it with a traceback."""

import sys
import threading

import etcd

HOST, PORT = sys.argv[1], int(sys.argv[2])


def client(**more):
    return etcd.Client(host=HOST, port=PORT, **more)


def keys(c):
    assert c.write("/app/a", "1").value == "1"
    assert c.read("/app/a").value == "1"
    assert c.test_and_set("/app/a", "2", "1").value == "2"
    refused(etcd.EtcdCompareFailed, c.test_and_set, "/app/a", "3", "1")
    refused(etcd.EtcdAlreadyExist, c.write, "/app/a", "3", prevExist=False)
    refused(etcd.EtcdKeyNotFound, c.read, "/app/nothing")
    refused(etcd.EtcdNotFile, c.write, "/app", "3")
    c.write("/app/dir/b", "x")
    leaves = sorted(leaf.key for leaf in c.read("/app", recursive=True).leaves)
    assert leaves == ["/app/a", "/app/dir/b"], leaves
    node = c.read("/app/a")
    node.value = "from python"
    assert c.update(node).value == "from python"
    refused(etcd.EtcdDirNotEmpty, c.delete, "/app/dir", dir=True)
    c.delete("/app", recursive=True)
    refused(etcd.EtcdKeyNotFound, c.read, "/app/a")
    short = c.write("/ttl", "1", ttl=100)
    assert short.ttl in (99, 100), short.ttl


def watches(c):
    begun = c.write("/watched", "0").modifiedIndex
    got = []
    reader = threading.Thread(target=lambda: got.append(c.watch("/watched", index=begun + 1)))
    reader.start()
    client().write("/watched", "1")
    reader.join(30)
    assert got[0].value == "1", got
    values = []
    for number in range(2, 5):
        client().write("/watched", str(number))
    for event in c.eternal_watch("/watched", index=begun + 1):
        values.append(event.value)
        if len(values) == 4:
            break
    assert values == ["1", "2", "3", "4"], values


def queue(c):
    posted = [c.write("/queue", str(number), append=True).key for number in range(3)]
    listed = [node.key for node in c.read("/queue", sorted=True).leaves]
    assert posted == listed == sorted(posted), (posted, listed)


def locks():
    """Two want the lock, and have it one after the other."""
    held, order = [], []

    def hold(name):
        lock = etcd.Lock(client(), "the-lock")
        assert lock.acquire(blocking=True, lock_ttl=60)
        held.append(name)
        assert len(held) == 1, held
        order.append(name)
        held.remove(name)
        lock.release()

    threads = [threading.Thread(target=hold, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(order) == list("abcd"), order


def election():
    """Whoever creates the key leads until it does not refresh it any more."""
    first, second = client(), client()
    won = first.write("/leader", "first", ttl=2, prevExist=False)
    refused(etcd.EtcdAlreadyExist, second.write, "/leader", "second", ttl=2, prevExist=False)
    first.refresh("/leader", ttl=1)
    gone = second.watch("/leader", index=won.modifiedIndex + 1)
    assert gone.action == "expire", gone.action
    assert second.write("/leader", "second", ttl=60, prevExist=False).value == "second"


def cluster(c):
    assert [member["name"] for member in c.members.values()] == ["infra0"]
    assert c.leader["name"] == "infra0"
    assert c.machines
    assert c.stats["name"] == "infra0" and "getsSuccess" in c.store_stats


def auth(c):
    from etcd.auth import Auth, EtcdRole, EtcdUser

    for name in ("root", "bob"):
        user = EtcdUser(c, name)
        user.password = "pw"
        user.write()
    role = EtcdRole(c, "reader")
    role.grant("/open/*", "R")
    role.write()
    bob = EtcdUser(c, "bob")
    bob.read()
    bob.roles = ["reader"]
    bob.write()
    c.write("/open/x", "1")
    Auth(c).active = True
    try:
        reader = client(username="bob", password="pw")
        assert reader.read("/open/x").value == "1"
        refused(etcd.EtcdInsufficientPermissions, reader.write, "/open/x", "2")
    finally:
        Auth(client(username="root", password="pw")).active = False


def refused(kind, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind:
        return
    raise AssertionError("%s %r was carried out" % (call.__name__, arguments))


for part in (keys, watches, queue, cluster, auth):
    part(client())
locks()
election()
print("all of it holds")
