package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"roster/adapters/storage"
)

// Result codes of the server, by the names it gives them.
const (
	unauthorized      = 13
	namespaceNotFound = 26
	indexNotFound     = 27
	maxTimeMSExpired  = 50
	duplicateKey      = 11000
)

// notPrimary are the codes of a server that is no longer the primary, or shuts down: ShutdownInProgress,
// PrimarySteppedDown, LegacyNotPrimary, NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange,
// NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary.
var notPrimary = []int{91, 189, 10058, 10107, 11600, 11602, 13435, 13436}

// temporary are the other codes of what ends by itself, or by what an operator does.
var temporary = []int{
	6, 7, 89, 9001, // the network: HostUnreachable, HostNotFound, NetworkTimeout, SocketException
	24, 46, 112, 117, 12586, 12587, // others: LockTimeout, LockBusy, WriteConflict, ConflictingOperation..., BackgroundOperation...
	maxTimeMSExpired, 202, 262, // time: also NetworkInterfaceExceededTimeLimit, ExceededTimeLimit
	64, 100, 133, 134, // members: WriteConcernFailed, UnsatisfiableWriteConcern, FailedToSatisfyReadPreference, ...
	43, 150, 249, 13388, // a sharded cluster: CursorNotFound of a restarted mongos, StaleEpoch, StaleDbVersion, StaleConfig
	175, 237, 276, 303, 11601, // by others: QueryPlanKilled, CursorKilled, IndexBuildAborted, IndexBuildAlreadyInProgress, Interrupted
	146, 292, 365, 462, 14031, // load: ExceededMemoryLimit, a sort without disk, TemporarilyUnavailable, a rate limit, OutOfDiskSpace
}

// temporaryLabels are how server and driver mark what may be tried again.
var temporaryLabels = []string{
	driver.NetworkError, driver.RetryableWriteError, driver.TransientTransactionError, "SystemOverloadedError",
}

// translate gives err, which the driver returned from op under ctx, the meaning that the ports
// promise. It goes by types, codes and labels, never by text. ctx is the one that within made.
func translate(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if end := ended(ctx, err); end != nil {
		// The driver reports this in several ways; what counts is that the time is over, and which limit ended it.
		if cause := context.Cause(ctx); errors.Is(cause, errSlow) {
			return storage.Unavailable(fmt.Errorf("mongodb: %s: %w: %w", op, cause, err))
		}
		return fmt.Errorf("mongodb: %s: %w", op, end)
	}
	failed := fmt.Errorf("mongodb: %s: %w", op, err)
	if unavailable(err) {
		return storage.Unavailable(failed)
	}
	return failed
}

// ended is storage.Ended after a command failed with err. The limit that the driver sends along to the
// server, and its own forecast whether there is time enough for an answer, end a command earlier than ctx
// by the time of a round trip.
func ended(ctx context.Context, err error) error {
	if limit, ok := ctx.Deadline(); ok && time.Until(limit) < roundTrip && isTimeLimit(err) {
		<-ctx.Done()
	}
	return storage.Ended(ctx)
}

// roundTrip is more than a command and its answer are under way.
const roundTrip = time.Second

func isTimeLimit(err error) bool {
	return answered(err, maxTimeMSExpired) || errors.Is(err, driver.ErrDeadlineWouldBeExceeded)
}

func unavailable(err error) bool {
	if errors.Is(err, mongo.ErrClientDisconnected) || mongo.IsTimeout(err) || mongo.IsNetworkError(err) {
		return true
	}
	if e, ok := errors.AsType[mongo.ServerError](err); ok {
		return isAny(e, notPrimary) || isAny(e, temporary) || slices.ContainsFunc(temporaryLabels, e.HasErrorLabel)
	}
	// What failed before a command was sent has types that the driver does not export otherwise.
	if e := driver.RetryablePoolError(nil); errors.As(err, &e) {
		return e.Retryable()
	}
	return isA[topology.ServerSelectionError](err) || isA[topology.WaitQueueTimeoutError](err) ||
		isA[topology.ConnectionError](err) || isA[topology.PoolError](err) || errors.Is(err, topology.ErrServerClosed)
}

func isAny(e mongo.ServerError, codes []int) bool { return slices.ContainsFunc(codes, e.HasErrorCode) }

// answered reports whether a server answered with one of some codes.
func answered(err error, codes ...int) bool {
	e, ok := errors.AsType[mongo.ServerError](err)
	return ok && isAny(e, codes)
}

// mayReadAgain reports whether a read that failed with err may do better at once, on a new connection or at
// the new primary.
func mayReadAgain(err error) bool {
	if answered(err, notPrimary...) {
		return true
	}
	e := driver.RetryablePoolError(nil)
	return errors.As(err, &e) && e.Retryable() || mongo.IsNetworkError(err) && !mongo.IsTimeout(err)
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// duplicate reports whether a unique index refused a write. Which one it was has to be read back.
func duplicate(err error) bool { return answered(err, duplicateKey) }

// onlyDuplicates reports whether a write of several documents stored all but those whose id was taken.
func onlyDuplicates(err error) bool {
	e, ok := errors.AsType[mongo.BulkWriteException](err)
	return ok && e.WriteConcernError == nil && len(e.WriteErrors) > 0 &&
		!slices.ContainsFunc(e.WriteErrors, func(w mongo.BulkWriteError) bool { return w.Code != duplicateKey })
}
