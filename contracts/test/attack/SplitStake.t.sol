// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Seats} from "../../src/libraries/Seats.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice One stake as thousands of nodes: it wins no seat and saves no fine.
contract SplitStakeAttack is CourtBase {
    uint256 private constant SPLIT = 10;

    /// @dev Over many seeds ten nodes of 25,000 hold what one of 250,000 holds.
    function test_splittingWinsNoSeat() public pure {
        uint256 eligible = 1_000_000 ether;
        uint256 whole;
        uint256 split;
        for (uint256 seed = 0; seed < 2_000; ++seed) {
            whole += Seats.held(7, 250_000 ether, eligible, uint256(keccak256(abi.encode(seed, "whole"))));
            for (uint256 i = 0; i < SPLIT; ++i) {
                split += Seats.held(7, 25_000 ether, eligible, uint256(keccak256(abi.encode(seed, i))));
            }
        }
        // Expected: 2,000 x 7 x 250,000 / 1,000,000 = 3,500 either way.
        vm.assertApproxEqAbs(whole, 3_500, 100, "whole");
        vm.assertApproxEqAbs(split, 3_500, 200, "split");
    }

    /// @dev A fine is by seats, each worth S / n but at most a miner's threshold: who is split pays for each seat that it draws.
    function test_splittingSavesNoFine() public {
        address whale = stranger;
        _addNode(whale, Role.Miner, 7 * BOND);
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _skip(COMMIT + REVEAL);
        uint256 held = court.getSeat(caseId, 0, whale).seats;
        vm.assertTrue(held >= 3, "half of all");
        vm.assertEq(court.fine(caseId, 0, whale), held * 200 ether, "the whale");
        uint256 finedSeats;
        uint256 finedWei;
        for (uint256 i = 0; i < JURORS; ++i) {
            uint256 seats = court.getSeat(caseId, 0, jurors[i]).seats;
            if (seats == 0) continue;
            finedSeats += seats;
            finedWei += court.fine(caseId, 0, jurors[i]);
        }
        vm.assertEq(finedWei, finedSeats * 200 ether, "the small ones, by the seat alike");
    }
}
