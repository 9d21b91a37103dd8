// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Evidence, Vote} from "../../src/interfaces/ICourt.sol";
import {Assignment, Receipt, Result} from "../../src/libraries/Signed.sol";
import {Network} from "./Network.sol";
import {createAssignment} from "./Receipts.sol";
import {vm} from "./Vm.sol";

/// @notice The whole network with a coordinator, a miner that it gave a task, and seven other miners with equal bonds, so one
/// seat each of the first jury; and one-line ways through a dispute. Windows never grow: somebody pulses in time.
abstract contract Disputes is Network {
    address internal coordinator;
    address internal miner;
    address internal immutable challenger = _account("challenger");
    address[] internal jurors;

    function setUp() public virtual override {
        super.setUp();
        coordinator = _registerCoordinator("coordinator");
        miner = _registerMiner("miner");
        for (uint256 i = 0; i < 7; ++i) {
            jurors.push(_registerMiner(string(abi.encodePacked("juror ", bytes1(uint8(65 + i))))));
        }
        vm.deal(challenger, 1_000_000 ether);
        // Bonds of the epoch before a round count in it.
        _skip(BOND_EPOCH);
    }

    function _evidence() internal pure returns (Evidence memory) {
        return Evidence("[1,2,3]", "{\"temperature\":0}", "[4,5,6]");
    }

    /// @dev Given now.
    function _assignment(uint256 task) internal view returns (Assignment memory) {
        return createAssignment(bytes32(task), coordinator, miner, _evidence(), 1 ether, _now());
    }

    function _receipt(uint256 task) internal view returns (Receipt memory) {
        Assignment memory given = _assignment(task);
        return _receipt(given, _operatorKey(given.coordinator, 0), _operatorKey(given.miner, 0));
    }

    function _receipt(Assignment memory given, uint256 coordinatorKey, uint256 minerKey)
        internal
        view
        returns (Receipt memory)
    {
        bytes32 digest = court.assignmentDigest(given);
        Result memory result = Result(digest, sha256(_evidence().output), 3, 1);
        return Receipt(given, _sign(coordinatorKey, digest), result, _sign(minerKey, court.resultDigest(result)));
    }

    function _challenge(uint256 task) internal returns (uint256) {
        return _challenge(_receipt(task));
    }

    function _challenge(Receipt memory receipt) internal returns (uint256) {
        uint256 bondWei = court.challengeBondWei(receipt.assignment.miner);
        vm.prank(challenger);
        return court.challenge{value: bondWei}(receipt, _evidence());
    }

    /// @dev From the challenge to the verdict without appeal, with all jurors agreeing.
    function _judge(uint256 caseId, Vote vote) internal {
        _passLive(court.sealSeconds());
        court.seal(caseId, "");
        for (uint256 i = 0; i < jurors.length; ++i) {
            bytes32 commitment = court.commitmentOf(caseId, 0, jurors[i], vote, bytes32(i));
            vm.prank(jurors[i]);
            court.commit(caseId, jurors[i], commitment);
        }
        _passLive(court.commitSeconds());
        for (uint256 i = 0; i < jurors.length; ++i) {
            vm.prank(jurors[i]);
            court.reveal(caseId, jurors[i], vote, bytes32(i));
        }
        _passLive(court.revealSeconds());
        court.conclude(caseId);
        _passLive(court.appealSeconds());
        court.conclude(caseId);
    }

    function _reportMiner(Assignment memory given, bytes32 first, bytes32 second) internal returns (uint256) {
        bytes32 digest = court.assignmentDigest(given);
        Result memory one = Result(digest, first, 3, 1);
        Result memory two = Result(digest, second, 3, 1);
        bytes memory assigned = _sign(_operatorKey(given.coordinator, 0), digest);
        uint256 key = _operatorKey(given.miner, 0);
        bytes memory oneSigned = _sign(key, court.resultDigest(one));
        bytes memory twoSigned = _sign(key, court.resultDigest(two));
        return court.reportMiner(given, assigned, one, oneSigned, two, twoSigned);
    }

    /// @dev Somebody calls the court every 50 minutes.
    function _passLive(uint256 elapsed) internal {
        for (uint256 passed = 0; passed < elapsed; passed += 50 minutes) {
            _skip(elapsed - passed < 50 minutes ? elapsed - passed : 50 minutes);
            court.pulse();
        }
    }

    function _unbondAll(address node) internal returns (uint256 id) {
        uint256 bondWei = _bond(node);
        vm.prank(node);
        return staking.unbond(bondWei);
    }

    function _withdraw(address account, uint256 id) internal returns (uint256 paidWei) {
        uint256 before = account.balance;
        vm.prank(account);
        staking.withdraw(_list(id), type(uint256).max, payable(account));
        return account.balance - before;
    }

    /// @dev Bond and thawing bond.
    function _atRisk(address node) internal view returns (uint256) {
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(node);
        return bondWei + thawingWei;
    }

    function _now() internal view returns (uint64) {
        return uint64(vm.getBlockTimestamp());
    }
}
