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
	internalError    = 1
	indexNotFound    = 27
	maxTimeMSExpired = 50
	duplicateKey     = 11000
)

// moved is the result codes of a server that is the primary no more, or leaves.
var moved = []int{
	91,    // ShutdownInProgress
	189,   // PrimarySteppedDown
	10058, // LegacyNotPrimary
	10107, // NotWritablePrimary
	11600, // InterruptedAtShutdown
	11602, // InterruptedDueToReplStateChange
	13435, // NotPrimaryNoSecondaryOk
	13436, // NotPrimaryOrSecondary
}

// passing is the result codes that tell of another state which passes, or which an operator ends.
var passing = []int{
	6,  // HostUnreachable
	7,  // HostNotFound
	24, // LockTimeout
	43, // CursorNotFound: a mongos was restarted
	46, // LockBusy
	maxTimeMSExpired,
	64,    // WriteConcernFailed: not yet on a majority
	89,    // NetworkTimeout
	100,   // UnsatisfiableWriteConcern: no majority is left
	112,   // WriteConflict
	117,   // ConflictingOperationInProgress
	133,   // FailedToSatisfyReadPreference
	134,   // ReadConcernMajorityNotAvailableYet
	146,   // ExceededMemoryLimit
	150,   // StaleEpoch
	175,   // QueryPlanKilled: an index was dropped during it
	202,   // NetworkInterfaceExceededTimeLimit
	237,   // CursorKilled
	249,   // StaleDbVersion
	262,   // ExceededTimeLimit
	276,   // IndexBuildAborted
	292,   // QueryExceededMemoryLimitNoDiskUseAllowed
	303,   // IndexBuildAlreadyInProgress
	365,   // TemporarilyUnavailable
	462,   // IngressRequestRateLimitExceeded
	9001,  // SocketException
	11601, // Interrupted
	12586, // BackgroundOperationInProgressForDatabase
	12587, // BackgroundOperationInProgressForNamespace
	13388, // StaleConfig
	14031, // OutOfDiskSpace
}

// passingLabels is how server and driver mark what may be tried again.
var passingLabels = []string{
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
	away := unavailable(err)
	err = fmt.Errorf("mongodb: %s: %w", op, err)
	if away {
		return storage.Unavailable(err)
	}
	return err
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
	e, ok := errors.AsType[mongo.ServerError](err)
	// FerretDB reports the end of its limit as an internal error where that interrupts its storage.
	return ok && (e.HasErrorCode(maxTimeMSExpired) || e.HasErrorCode(internalError)) || errors.Is(err, driver.ErrDeadlineWouldBeExceeded)
}

func unavailable(err error) bool {
	if errors.Is(err, mongo.ErrClientDisconnected) || mongo.IsTimeout(err) || mongo.IsNetworkError(err) {
		return true
	}
	if e, ok := errors.AsType[mongo.ServerError](err); ok {
		return hasMoved(e) || slices.ContainsFunc(passing, e.HasErrorCode) || slices.ContainsFunc(passingLabels, e.HasErrorLabel)
	}
	// What failed before a command was sent has types that the driver does not export otherwise.
	if e := driver.RetryablePoolError(nil); errors.As(err, &e) {
		return e.Retryable()
	}
	return isA[topology.ServerSelectionError](err) || isA[topology.WaitQueueTimeoutError](err) ||
		isA[topology.ConnectionError](err) || isA[topology.PoolError](err) || errors.Is(err, topology.ErrServerClosed)
}

func hasMoved(e mongo.ServerError) bool { return slices.ContainsFunc(moved, e.HasErrorCode) }

// mayReadAgain reports whether a read that failed with err may do better at once, on a new connection or at
// the new primary.
func mayReadAgain(err error) bool {
	if e, ok := errors.AsType[mongo.ServerError](err); ok && hasMoved(e) {
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
func duplicate(err error) bool {
	e, ok := errors.AsType[mongo.ServerError](err)
	return ok && e.HasErrorCode(duplicateKey)
}

// onlyDuplicates reports whether a write of several documents stored all but those whose id was taken.
func onlyDuplicates(err error) bool {
	e, ok := errors.AsType[mongo.BulkWriteException](err)
	return ok && e.WriteConcernError == nil && len(e.WriteErrors) > 0 &&
		!slices.ContainsFunc(e.WriteErrors, func(w mongo.BulkWriteError) bool { return w.Code != duplicateKey })
}

// noIndex reports whether there was no index to drop.
func noIndex(err error) bool {
	e, ok := errors.AsType[mongo.ServerError](err)
	return ok && e.HasErrorCode(indexNotFound)
}
