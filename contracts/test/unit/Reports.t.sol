// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {Assignment, Result} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice What two signatures of one node prove against each other.
contract ReportsTest is CourtBase {
    Assignment private assignment;
    Result private first;
    Result private second;
    Assignment private other;

    function setUp() public override {
        super.setUp();
        assignment = _assignment(1);
        bytes32 digest = court.assignmentDigest(assignment);
        first = Result(digest, sha256("one"), 3, 1);
        second = Result(digest, sha256("two"), 3, 1);
        other = assignment;
        other.miner = otherMiner;
    }

    // ---- miners ----

    function test_twoResultsCostHalfTheBond() public {
        vm.deal(address(this), BOND + 1_000 ether);
        staking.setThawing{value: BOND}(miner);
        staking.setVotes{value: 1_000 ether}(miner);
        vm.expectEmit(address(court));
        emit ICourt.MinerReported(
            1, miner, stranger, first.assignment, court.resultDigest(first), court.resultDigest(second)
        );
        vm.expectEmit(address(staking));
        emit IStakingHooks.Slashed(miner, 1, BOND / 2, BOND / 2, 20 ether, BOND / 4);
        vm.expectEmit(address(court));
        emit ICourt.Credited(1, stranger, BOND / 4, START + THAW);
        vm.assertEq(_reportMiner(), 1, "case");

        vm.assertEq(_bondOf(miner), BOND, "left");
        vm.assertEq(staking.poolWei(), BOND * 3 / 4 + 20 ether, "pool");
        (address reporter, uint256 cutWei, uint64 releaseAt) = court.cutOf(1);
        vm.assertEq(reporter, stranger, "reporter");
        vm.assertEq(cutWei, BOND / 4, "a quarter of the bond part");
        vm.assertEq(uint256(releaseAt), START + THAW, "one thaw later");
        vm.assertEq(uint256(_jailedUntil(miner)), 0, "no jail");
        vm.assertEq(uint256(court.getRecord(miner).step), 0, "no step");
        _assertSolvent();
        vm.warp(releaseAt);
        vm.prank(stranger);
        court.withdrawCut(1, payable(stranger));
        _assertSolvent();
    }

    function test_resultsMustDifferInTheirOutput() public {
        second.outputHash = first.outputHash;
        second.units = 4;
        _refuseMiner(abi.encodeWithSelector(ICourt.NotEvidence.selector, "outputHash"));
    }

    function test_resultsMustBeOfTheAssignment() public {
        bytes32 digest = second.assignment;
        first.assignment = keccak256("another");
        _refuseMiner(abi.encodeWithSelector(ICourt.NotEvidence.selector, "assignment"));
        first.assignment = digest;
        second.assignment = keccak256("another");
        _refuseMiner(abi.encodeWithSelector(ICourt.NotEvidence.selector, "assignment"));
    }

    function test_allThreeSignaturesCount() public {
        bytes memory given = _sign(coordinator, first.assignment);
        bytes memory one = _sign(miner, court.resultDigest(first));
        bytes memory two = _sign(miner, court.resultDigest(second));
        bytes memory bad = _sign(stranger, first.assignment);

        vm.expectRevert(abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(stranger), coordinator));
        court.reportMiner(assignment, bad, first, one, second, two);
        bad = _sign(stranger, court.resultDigest(first));
        vm.expectRevert(abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(stranger), miner));
        court.reportMiner(assignment, given, first, bad, second, two);
        bad = _sign(stranger, court.resultDigest(second));
        vm.expectRevert(abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(stranger), miner));
        court.reportMiner(assignment, given, first, one, second, bad);
    }

    function test_minerWithoutStake() public {
        vm.prank(address(court));
        staking.slash(miner, BOND, 0, 0, 99);
        _refuseMiner(abi.encodeWithSelector(ICourt.NothingAtRisk.selector, miner));
    }

    function test_minerWithinTheEvidenceTime() public {
        assignment.issuedAt = START + 1;
        _refuseMiner(abi.encodeWithSelector(ICourt.NotEvidence.selector, "issuedAt"));
        assignment.issuedAt = START;
        vm.warp(START + EVIDENCE + 1);
        _refuseMiner(abi.encodeWithSelector(ICourt.EvidenceExpired.selector, START + EVIDENCE));
        vm.warp(START + EVIDENCE);
        _reportMiner();
    }

    function _reportMiner() private returns (uint256) {
        bytes memory given = _sign(coordinator, court.assignmentDigest(assignment));
        bytes memory one = _sign(miner, court.resultDigest(first));
        bytes memory two = _sign(miner, court.resultDigest(second));
        vm.prank(stranger);
        return court.reportMiner(assignment, given, first, one, second, two);
    }

    function _refuseMiner(bytes memory reason) private {
        bytes memory given = _sign(coordinator, court.assignmentDigest(assignment));
        bytes memory one = _sign(miner, court.resultDigest(first));
        bytes memory two = _sign(miner, court.resultDigest(second));
        vm.expectRevert(reason);
        vm.prank(stranger);
        court.reportMiner(assignment, given, first, one, second, two);
    }

    // ---- coordinators ----

    function test_twoMinersOfOneAttemptCostATwentieth() public {
        bytes32 one = court.assignmentDigest(assignment);
        bytes32 two = court.assignmentDigest(other);
        vm.expectEmit(address(court));
        emit ICourt.CoordinatorReported(1, coordinator, stranger, bytes32(uint256(1)), 1, one, two);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Slashed(coordinator, 1, 125_000 ether, 0, 0, 31_250 ether);
        vm.assertEq(_reportCoordinator(), 1, "case");
        vm.assertEq(_bondOf(coordinator), COORDINATOR_BOND - 125_000 ether, "left");
        (, uint256 cutWei,) = court.cutOf(1);
        vm.assertEq(cutWei, 31_250 ether, "cut");
        _assertSolvent();
    }

    function test_assignmentsMustBeOfOneAttempt() public {
        other.coordinator = stranger;
        _refuseCoordinator(abi.encodeWithSelector(ICourt.NotEvidence.selector, "coordinator"));
        other.coordinator = coordinator;
        other.taskId = bytes32(uint256(2));
        _refuseCoordinator(abi.encodeWithSelector(ICourt.NotEvidence.selector, "taskId"));
        other.taskId = assignment.taskId;
        other.attempt = 2;
        _refuseCoordinator(abi.encodeWithSelector(ICourt.NotEvidence.selector, "taskId"));
        other.attempt = assignment.attempt;
        other.miner = miner;
        _refuseCoordinator(abi.encodeWithSelector(ICourt.NotEvidence.selector, "miner"));
    }

    function test_bothAssignmentsAreTheCoordinators() public {
        bytes memory good = _sign(coordinator, court.assignmentDigest(assignment));
        bytes memory bad = _sign(stranger, court.assignmentDigest(other));
        bytes memory reason = abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(stranger), coordinator);
        vm.expectRevert(reason);
        court.reportCoordinator(assignment, good, other, bad);
        vm.expectRevert(reason);
        court.reportCoordinator(other, bad, assignment, good);
    }

    /// @dev The later of the two starts the clock, in whichever order they come; neither may be of the future.
    function test_coordinatorWithinTheEvidenceTime() public {
        other.issuedAt = START + 1 days;
        _refuseCoordinator(abi.encodeWithSelector(ICourt.NotEvidence.selector, "issuedAt"));
        _swap();
        _refuseCoordinator(abi.encodeWithSelector(ICourt.NotEvidence.selector, "issuedAt"));
        vm.warp(START + 1 days + EVIDENCE + 1);
        bytes memory expired = abi.encodeWithSelector(ICourt.EvidenceExpired.selector, START + 1 days + EVIDENCE);
        _refuseCoordinator(expired);
        _swap();
        _refuseCoordinator(expired);
        vm.warp(START + 1 days + EVIDENCE);
        _reportCoordinator();
    }

    function _swap() private {
        Assignment memory before = assignment;
        assignment = other;
        other = before;
    }

    function _reportCoordinator() private returns (uint256) {
        bytes memory one = _sign(coordinator, court.assignmentDigest(assignment));
        bytes memory two = _sign(coordinator, court.assignmentDigest(other));
        vm.prank(stranger);
        return court.reportCoordinator(assignment, one, other, two);
    }

    function _refuseCoordinator(bytes memory reason) private {
        bytes memory one = _sign(coordinator, court.assignmentDigest(assignment));
        bytes memory two = _sign(coordinator, court.assignmentDigest(other));
        vm.expectRevert(reason);
        vm.prank(stranger);
        court.reportCoordinator(assignment, one, other, two);
    }
}
