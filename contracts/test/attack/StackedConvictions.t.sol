// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {Receipt} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";

import {vm} from "../utils/Vm.sol";

/// @notice Many receipts of one cause (a bad card, a wrong build) convicted one after the other.
contract StackedConvictionsAttack is CourtBase {
    function test_oneCauseCostsAtMostThirtyPercent() public {
        uint256[] memory ids = new uint256[](6);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = _challenge(i + 1);
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            _finish(ids[i]);
            vm.assertEq(uint256(court.getRecord(miner).step), 1, "one step");
            uint256 convicted = i < 3 ? i + 1 : 3;
            vm.assertEq(_bondOf(miner), BOND * (10 - convicted) / 10, "bond");
            vm.assertEq(uint256(court.getRecord(miner).stepBps), 1_000 * convicted, "bps");
        }
        _assertSolvent();
    }

    /// @dev The same, challenged one after the other but all issued before the first verdict.
    function test_whatWasIssuedBeforeTheVerdictDoesNotRaiseTheStep() public {
        Receipt[3] memory receipts = [_receipt(1), _receipt(2), _receipt(3)];
        uint256 leftWei = BOND;
        for (uint256 i = 0; i < receipts.length; ++i) {
            uint256 caseId = _challenge(receipts[i]);
            _finish(caseId);
            leftWei -= leftWei / 10;
            vm.assertEq(_bondOf(miner), leftWei, "a tenth of what was there");
        }
        vm.assertEq(uint256(court.getRecord(miner).step), 1, "one step");
    }

    /// @dev Doing it again after the verdict is another thing; but then again only once for what was done in between.
    function test_doingItAgainRaisesTheStep() public {
        Receipt memory old = _receipt(1);
        _finish(_challenge(2));
        _skip(1);
        Receipt memory again = _receipt(3);
        Receipt memory alsoAgain = _receipt(4);
        _finish(_challenge(again));
        vm.assertEq(_bondOf(miner), BOND * 9 / 20, "10 % and then half");
        vm.assertEq(uint256(court.getRecord(miner).step), 2, "second step");
        // The second step took more than 30 % alone: of what is before its verdict nothing more is taken.
        _finish(_challenge(alsoAgain));
        _finish(_challenge(old));
        vm.assertEq(_bondOf(miner), BOND * 9 / 20, "nothing more");
        vm.assertEq(uint256(court.getRecord(miner).step), 2, "second step");
        vm.assertEq(uint256(_jailedUntil(miner)), _now() + JAIL, "but jailed for each");
        _assertSolvent();
    }

    function _finish(uint256 caseId) private {
        _hear(caseId, 0, 7, 0);
        _close(caseId);
    }
}
