// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Court} from "../../src/Court.sol";
import {CourtParameters, Evidence, ICourt, Stage, Verdict, Vote} from "../../src/interfaces/ICourt.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {Assignment, Receipt, Result} from "../../src/libraries/Signed.sol";
import {RandomnessMock} from "./RandomnessMock.sol";
import {StakingMock} from "./StakingMock.sol";
import {createAssignment} from "./Receipts.sol";
import {vm} from "./Vm.sol";

/// @notice A court over stake in plain numbers: a coordinator, a miner that it gave a task, seven other miners with equal
/// bonds (so one seat each of seven and nine each of 63), and one-line ways to every stage of a dispute.
abstract contract CourtBase {
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant THAW = 7 days;
    uint64 internal constant EVIDENCE = 2 days;
    uint64 internal constant SEAL = 1 minutes;
    uint64 internal constant COMMIT = 12 minutes;
    uint64 internal constant REVEAL = 11 minutes;
    uint64 internal constant APPEAL = 10 minutes;
    uint64 internal constant JAIL = 6 days;
    uint256 internal constant FEE = 1 ether;
    uint256 internal constant BOND = 30_000 ether;
    uint256 internal constant COORDINATOR_BOND = 2_500_000 ether;
    uint256 internal constant JURORS = 7;

    StakingMock internal staking;
    RandomnessMock internal randomness;
    Court internal court;

    address internal immutable coordinator = _account("coordinator");
    address internal immutable miner = _account("miner");
    address internal immutable otherMiner = _account("other miner");
    address internal immutable challenger = _account("challenger");
    address internal immutable appellant = _account("appellant");
    address internal immutable stranger = _account("stranger");
    address[] internal jurors;
    uint256 private _salts;

    function setUp() public virtual {
        vm.warp(START);
        staking = new StakingMock();
        randomness = new RandomnessMock();
        court = _deploy(_parameters());
        _addNode(coordinator, Role.Coordinator, COORDINATOR_BOND);
        _addNode(miner, Role.Miner, BOND);
        for (uint256 i = 0; i < JURORS; ++i) {
            jurors.push(_account(string.concat("juror ", string(abi.encodePacked(bytes1(uint8(48 + i)))))));
            _addNode(jurors[i], Role.Miner, BOND);
        }
        vm.deal(challenger, 1_000_000 ether);
        vm.deal(appellant, 1_000_000 ether);
        vm.deal(stranger, 1_000_000 ether);
    }

    function _parameters() internal pure virtual returns (CourtParameters memory) {
        return CourtParameters({
            evidenceSeconds: EVIDENCE,
            sealSeconds: SEAL,
            commitSeconds: COMMIT,
            revealSeconds: REVEAL,
            appealSeconds: APPEAL,
            jailSeconds: JAIL,
            jurorFeeWei: FEE,
            seats: [uint256(7), 15, 63]
        });
    }

    function _deploy(CourtParameters memory parameters) internal returns (Court) {
        bytes32 salt = _nextSalt();
        staking.wire(address(0), _addressOf(salt, staking, parameters), address(0));
        return new Court{salt: salt}(staking, randomness, parameters);
    }

    function _nextSalt() internal returns (bytes32) {
        return bytes32(++_salts);
    }

    /// @dev By CREATE2, since forge's isolated calls (gas reports) use up nonces.
    function _addressOf(bytes32 salt, IStakingHooks staking_, CourtParameters memory parameters)
        internal
        view
        returns (address)
    {
        bytes32 code = keccak256(bytes.concat(type(Court).creationCode, abi.encode(staking_, randomness, parameters)));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, code)))));
    }

    // ---- accounts ----

    function _account(string memory name) internal returns (address account) {
        account = vm.addr(uint256(keccak256(bytes(name))));
        vm.label(account, name);
    }

    function _operatorKey(address node) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", node)));
    }

    function _operator(address node) internal pure returns (address) {
        return vm.addr(_operatorKey(node));
    }

    /// @dev With `bondWei` now and in all epochs.
    function _addNode(address node, Role role, uint256 bondWei) internal {
        vm.deal(address(this), bondWei);
        staking.setNode{value: bondWei}(node, _operator(node), role);
        if (role == Role.Miner) staking.setBond(node, bondWei);
    }

    function _bondOf(address node) internal view returns (uint256) {
        (uint256 bondWei, uint256 thawingBondWei) = staking.bondOf(node);
        return bondWei + thawingBondWei;
    }

    function _frozenOf(address node) internal view returns (uint256 frozenWei, uint64 until) {
        (,,,,,,,,, frozenWei, until) = staking.nodes(node);
    }

    function _jailedUntil(address node) internal view returns (uint64 until) {
        (,,,,,,,, until,,) = staking.nodes(node);
    }

    function _skip(uint256 elapsed) internal {
        vm.warp(vm.getBlockTimestamp() + elapsed);
    }

    function _now() internal view returns (uint64) {
        return uint64(vm.getBlockTimestamp());
    }

    // ---- evidence ----

    function _sign(address node, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_operatorKey(node), digest);
        return abi.encodePacked(r, s, v);
    }

    function _evidence() internal pure returns (Evidence memory) {
        return Evidence("[1,2,3]", "{\"temperature\":0}", "[4,5,6]");
    }

    function _assignment(uint256 task) internal view returns (Assignment memory) {
        return createAssignment(bytes32(task), coordinator, miner, _evidence(), 1, _now());
    }

    function _receipt(uint256 task) internal view returns (Receipt memory) {
        return _receipt(_assignment(task), _evidence().output);
    }

    function _receipt(Assignment memory assignment, bytes memory output) internal view returns (Receipt memory) {
        bytes32 digest = court.assignmentDigest(assignment);
        Result memory result = Result(digest, sha256(output), 3, 1);
        return Receipt(
            assignment,
            _sign(assignment.coordinator, digest),
            result,
            _sign(assignment.miner, court.resultDigest(result))
        );
    }

    // ---- one step each ----

    function _challenge(uint256 task) internal returns (uint256) {
        return _challenge(_receipt(task));
    }

    function _challenge(Receipt memory receipt) internal returns (uint256) {
        uint256 bondWei = court.challengeBondWei(receipt.assignment.miner);
        vm.prank(challenger);
        return court.challenge{value: bondWei}(receipt, _evidence());
    }

    function _seal(uint256 caseId) internal {
        _skip(SEAL);
        court.seal(caseId, "");
    }

    function _salt(address node) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", node));
    }

    function _round(uint256 caseId) internal view returns (uint8) {
        return court.getDispute(caseId).round;
    }

    function _commit(uint256 caseId, address node, Vote vote) internal {
        bytes32 commitment = court.commitmentOf(caseId, _round(caseId), node, vote, _salt(node));
        vm.prank(_operator(node));
        court.commit(caseId, node, commitment);
    }

    function _reveal(uint256 caseId, address node, Vote vote) internal {
        vm.prank(_operator(node));
        court.reveal(caseId, node, vote, _salt(node));
    }

    /// @dev From sealing until the reveal window is over: the first jurors say valid, the next invalid, the next that they
    /// cannot judge; who is left stays silent.
    function _vote(uint256 caseId, uint256 valid, uint256 invalid, uint256 cannotJudge) internal {
        _seal(caseId);
        for (uint256 i = 0; i < valid + invalid + cannotJudge; ++i) {
            _commit(caseId, jurors[i], _voteOf(i, valid, invalid));
        }
        _skip(COMMIT);
        for (uint256 i = 0; i < valid + invalid + cannotJudge; ++i) {
            _reveal(caseId, jurors[i], _voteOf(i, valid, invalid));
        }
        _skip(REVEAL);
    }

    function _voteOf(uint256 i, uint256 valid, uint256 invalid) private pure returns (Vote) {
        return i < valid ? Vote.Valid : i < valid + invalid ? Vote.Invalid : Vote.CannotJudge;
    }

    /// @dev The same, tallied.
    function _hear(uint256 caseId, uint256 valid, uint256 invalid, uint256 cannotJudge) internal {
        _vote(caseId, valid, invalid, cannotJudge);
        court.conclude(caseId);
    }

    function _appeal(uint256 caseId, address account, Vote side) internal {
        uint256 bondWei = court.appealBondWei(caseId);
        vm.prank(account);
        court.appeal{value: bondWei}(caseId, side);
    }

    /// @dev The verdict stands and nobody appeals.
    function _close(uint256 caseId) internal {
        _skip(APPEAL);
        court.conclude(caseId);
    }

    function _closeValid(uint256 task) internal returns (uint256 caseId) {
        caseId = _challenge(task);
        _hear(caseId, 7, 0, 0);
        _close(caseId);
    }

    function _convict(uint256 task) internal returns (uint256 caseId) {
        caseId = _challenge(task);
        _hear(caseId, 0, 7, 0);
        _close(caseId);
    }

    // ---- reading ----

    function _assertStage(uint256 caseId, Stage stage, string memory message) internal view {
        vm.assertEq(uint256(court.getDispute(caseId).stage), uint256(stage), message);
    }

    function _assertVerdict(uint256 caseId, Verdict verdict, string memory message) internal view {
        vm.assertEq(uint256(court.getDispute(caseId).verdict), uint256(verdict), message);
    }

    /// @dev What the contract holds is what its pots, credits and cuts add up to.
    function _assertSolvent() internal view {
        uint256 sumWei = court.creditOf(challenger) + court.creditOf(appellant) + court.creditOf(stranger)
            + court.creditOf(miner) + court.creditOf(coordinator) + court.creditOf(otherMiner);
        for (uint256 i = 0; i < jurors.length; ++i) {
            sumWei += court.creditOf(jurors[i]);
        }
        for (uint256 caseId = 1; caseId <= court.caseCount(); ++caseId) {
            for (uint8 round = 0; round < 3; ++round) {
                sumWei += court.getRound(caseId, round).potWei;
            }
            (, uint256 cutWei,) = court.cutOf(caseId);
            sumWei += cutWei;
        }
        vm.assertEq(address(court).balance, sumWei, "the court holds what it owes");
    }
}
