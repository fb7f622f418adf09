// Package faults tests the built service under faults of what it runs on: its process is killed, its database is stopped,
// paused or cut off, its resources are used up. A ledger of three outcomes decides each test; see ledger. Every test has
// a planted defect that it finds (bootstrap/defects.go), so that a pass means something.
//
// The faults, and the tests that show them, here or elsewhere:
//
//	process killed under load           TestKilledService; make soak: 500 times
//	killed after an answer              test/e2e.TestNothingAcknowledgedIsLost
//	killed in an import                 test/transfer.TestLargeImportIsKilledAndResumed
//	killed between change and event     adapters/storage/mongodb.TestNoKillSeparatesAnEventFromItsChange
//	killed in a migration               adapters/storage/sqlite.TestStartGoesOnAfterACrash, and postgres, mongodb
//	killed commands about keys          test/e2e.TestKilledKeyCommands
//	killed sender or mail server        TestKilledSender
//	mail server slow, away, refusing    TestMailServers, adapters/mail.TestFaultsOfServers
//	database stopped, paused            TestDatabaseIsAway, test/cluster.TestStorageOutage
//	database not there at the start     bootstrap.TestDatabaseComesLater
//	connections cut, answers lost       TestConnectionsAreCut
//	instances restarted                 TestRollingRestart
//	stopped under load                  test/e2e.TestStopFinishesRunningRequests
//	disk full                           TestDiskFull
//	disk slow, stalled; fsync fails     TestSlowDisk, TestFailingDisk
//	descriptors used up                 TestDescriptorsAreUsedUp
//	flood of sign-ins                   TestMemoryInAFlood, test/e2e.TestSignInFlood
//	log unread, full or closed          cmd/roster.TestStuckLogReader, bootstrap.TestLogOfAStuckReader
//	concurrent clients                  TestAnswersAreLinearizable, test/e2e.TestRegistrationRace, test/cluster
//	broken configuration                test/e2e.TestBrokenConfiguration
//	keys rotated under load             test/e2e.TestKeysRotateUnderLoad
//
// Not tested here: a clock that jumps (a static binary takes no other clock; application tests move it), a lost power
// supply (see requirement D1), and a change of a replica set's primary (the test server has one member).
package faults
