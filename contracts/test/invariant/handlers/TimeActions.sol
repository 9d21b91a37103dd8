// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../../utils/Vm.sol";
import {World} from "./World.sol";

/// @notice What happens to everybody: time passes, value is forced into contracts.
abstract contract TimeActions is World {
    /// @dev Mostly hours, sometimes an epoch, seldom past a thaw.
    function warp(uint256 elapsedSeed) external counted {
        uint256 most = elapsedSeed % 16 == 0 ? 2 * THAW : elapsedSeed % 4 == 0 ? BOND_EPOCH : 12 hours;
        _skip(_bound(elapsedSeed, 1, most));
        ++done[msg.sig];
    }

    function forceValue(uint256 pickSeed, uint256 amountSeed) external counted {
        address[3] memory contracts_ = [address(staking), address(payments), address(court)];
        address picked = contracts_[pickSeed % 3];
        uint256 amountWei = _bound(amountSeed, 1, 100 ether);
        forcedWei[picked] += amountWei;
        vm.deal(picked, picked.balance + amountWei);
        ++done[msg.sig];
    }
}
