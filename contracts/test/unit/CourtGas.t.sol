// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Evidence, Vote} from "../../src/interfaces/ICourt.sol";
import {Assignment, Receipt, Result} from "../../src/libraries/Signed.sol";
import {Network} from "../utils/Network.sol";
import {Vm, vm} from "../utils/Vm.sol";
import {createAssignment} from "../utils/Receipts.sol";

/// @notice What whole transactions of the court cost, against the real staking contract (see Gas.t.sol). The evidence has 1 KB:
/// each further byte of it costs what calldata and an event's data cost.
/// forge-config: default.isolate = true
/// forge-config: deep.isolate = true
contract CourtGasTest is Network {
    address private coordinator;
    address private miner;
    address[] private jurors;

    function setUp() public override {
        // Coverage compiles without the optimizer: its figures mean nothing.
        vm.skip(vm.isContext(Vm.ForgeContext.Coverage));
        super.setUp();
        coordinator = _registerCoordinator("coordinator");
        miner = _registerMiner("miner");
        for (uint256 i = 0; i < 7; ++i) {
            jurors.push(_registerMiner(string(abi.encodePacked("juror ", bytes1(uint8(65 + i))))));
        }
        _vote(_account("voter"), miner, 1_000 ether);
        _skip(BOND_EPOCH);
        vm.deal(address(this), 1_000_000 ether);
    }

    function _check(string memory name, uint256 limit) private {
        vm.assertLe(vm.snapshotGasLastCall("gas", name), limit, name);
    }

    function _evidence() private pure returns (Evidence memory) {
        return Evidence(_text(768), _text(128), _text(128));
    }

    function _text(uint256 length) private pure returns (bytes memory text) {
        text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = "a";
        }
    }

    function _assignment() private view returns (Assignment memory) {
        return
            createAssignment(
                keccak256("task"), coordinator, miner, _evidence(), 1 ether, uint64(vm.getBlockTimestamp())
            );
    }

    function _challenge() private returns (uint256) {
        Assignment memory assignment = _assignment();
        bytes32 digest = court.assignmentDigest(assignment);
        Result memory result = Result(digest, sha256(_evidence().output), 3, 1);
        Receipt memory receipt = Receipt(
            assignment,
            _sign(_operatorKey(coordinator, 0), digest),
            result,
            _sign(_operatorKey(miner, 0), court.resultDigest(result))
        );
        uint256 bondWei = court.challengeBondWei(miner);
        return court.challenge{value: bondWei}(receipt, _evidence());
    }

    function test_dispute() public {
        uint256 id = _challenge();
        _check("challenge, 1 KB of evidence", 500_000);
        _skip(10 minutes);
        court.seal(id, "");
        _check("seal a dispute's round, less the proof", 200_000);
        bytes32[] memory commitments = new bytes32[](7);
        for (uint256 i = 0; i < 7; ++i) {
            commitments[i] = court.commitmentOf(id, 0, jurors[i], Vote.Invalid, bytes32(i));
            vm.prank(jurors[i]);
            court.commit(id, jurors[i], commitments[i]);
            _check("commit a vote", 150_000);
        }
        // Every 50 minutes somebody calls: no window grows.
        _pulse(12 hours);
        for (uint256 i = 0; i < 6; ++i) {
            vm.prank(jurors[i]);
            court.reveal(id, jurors[i], Vote.Invalid, bytes32(i));
            if (i > 0) _check("reveal a vote", 100_000);
        }
        _pulse(12 hours);
        court.conclude(id);
        _check("conclude a round", 120_000);
        court.fine(id, 0, jurors[6]);
        _check("fine a silent juror", 300_000);
        _pulse(12 hours);
        court.conclude(id);
        _check("conclude a case, convicted", 400_000);
        court.creditJuror(id, 0, jurors[0]);
        _check("credit a juror", 90_000);
        vm.prank(jurors[0]);
        court.withdraw(payable(jurors[0]));
        _check("withdraw a juror's credit", 80_000);
    }

    function _pulse(uint256 elapsed) private {
        for (uint256 passed = 0; passed < elapsed; passed += 50 minutes) {
            _skip(elapsed - passed < 50 minutes ? elapsed - passed : 50 minutes);
            court.pulse();
        }
    }

    function test_appeal() public {
        uint256 id = _challenge();
        _skip(10 minutes);
        court.seal(id, "");
        for (uint256 i = 0; i < 7; ++i) {
            bytes32 commitment = court.commitmentOf(id, 0, jurors[i], Vote.Valid, bytes32(i));
            vm.prank(jurors[i]);
            court.commit(id, jurors[i], commitment);
        }
        _pulse(12 hours);
        for (uint256 i = 0; i < 7; ++i) {
            vm.prank(jurors[i]);
            court.reveal(id, jurors[i], Vote.Valid, bytes32(i));
        }
        _pulse(12 hours);
        court.conclude(id);
        uint256 bondWei = court.appealBondWei(id);
        court.appeal{value: bondWei}(id, Vote.Invalid);
        _check("appeal", 250_000);
    }

    function test_reportMiner() public {
        Assignment memory assignment = _assignment();
        bytes32 digest = court.assignmentDigest(assignment);
        Result memory first = Result(digest, sha256("one"), 3, 1);
        Result memory second = Result(digest, sha256("two"), 3, 1);
        bytes memory given = _sign(_operatorKey(coordinator, 0), digest);
        bytes memory one = _sign(_operatorKey(miner, 0), court.resultDigest(first));
        bytes memory two = _sign(_operatorKey(miner, 0), court.resultDigest(second));
        court.reportMiner(assignment, given, first, one, second, two);
        _check("report a miner", 350_000);
    }

    function test_reportCoordinator() public {
        Assignment memory first = _assignment();
        Assignment memory second = _assignment();
        second.miner = jurors[0];
        bytes memory one = _sign(_operatorKey(coordinator, 0), court.assignmentDigest(first));
        bytes memory two = _sign(_operatorKey(coordinator, 0), court.assignmentDigest(second));
        court.reportCoordinator(first, one, second, two);
        _check("report a coordinator", 350_000);
    }
}
