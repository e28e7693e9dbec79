// Package web is the HTTP interface of Pukar: the only way in for the command line and for other programs.
//
// It is served on a unix socket in PUKAR_HOME. What holds:
//
//   - Who calls is known from the kernel, not from the request: the credentials of the peer are taken when its
//     connection is accepted. The server's own user, root and the members of the group "pukar" may call; a request that
//     carries a forwarding header is refused, since it came through something that hides the caller.
//   - The socket can never be reached by anybody else, not even between bind and chmod: it is bound inside a fresh
//     folder of mode 0700 and then moved to its place.
//   - Every change is recorded as an audit event with the name of the calling user, in the transaction of the change
//     where the package that owns the data offers one.
//   - Text of an error reaches the caller only if the error is one that the table in errors.go knows; anything else is
//     "internal error" with the identifier of the request, under which the log has the cause.
//   - Every request has a deadline. Imports, exports and watches may last, but each single read and write of theirs is bounded.
//
// One endpoint serves one command. The document at /openapi.json describes them all.
package web
