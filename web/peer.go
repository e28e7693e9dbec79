package web

import (
	"context"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Peer is the process at the other end of a connection, as the kernel names it.
type Peer struct {
	// UID is the user that opened the connection.
	UID uint32
	// Name is that user's name, or its number where the machine has no name for it. It is the actor of audit events.
	Name string
	// Allowed says whether the user may call at all.
	Allowed bool
	// Administrator says whether the user is the server's own or root: it sees whole numbers.
	Administrator bool
}

type peerKey struct{}

// withPeer takes the credentials of a connection as it is accepted; it is the ConnContext of the server. Whoever is
// not on a unix socket, or whose credentials cannot be read, is a stranger.
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, peerOf(conn))
}

// peerFrom gives the peer of the request's connection.
func peerFrom(ctx context.Context) Peer {
	peer, _ := ctx.Value(peerKey{}).(Peer)
	return peer
}

func peerOf(conn net.Conn) Peer {
	local, ok := conn.(*net.UnixConn)
	if !ok {
		return Peer{Name: "unknown"}
	}
	raw, err := local.SyscallConn()
	if err != nil {
		return Peer{Name: "unknown"}
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || credErr != nil {
		return Peer{Name: "unknown"}
	}
	return judge(cred.Uid, uint32(os.Geteuid()), userName(cred.Uid), inGroup(cred.Uid))
}

// judge decides what a user may do.
func judge(uid, own uint32, name string, member bool) Peer {
	administrator := uid == own || uid == 0
	return Peer{UID: uid, Name: name, Administrator: administrator, Allowed: administrator || member}
}

func userName(uid uint32) string {
	number := strconv.FormatUint(uint64(uid), 10)
	found, err := user.LookupId(number)
	if err != nil {
		return "uid-" + number
	}
	return found.Username
}

func inGroup(uid uint32) bool {
	group, err := user.LookupGroup(Group)
	if err != nil {
		return false
	}
	found, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return false
	}
	groups, err := found.GroupIds()
	return err == nil && slices.Contains(groups, group.Gid)
}
