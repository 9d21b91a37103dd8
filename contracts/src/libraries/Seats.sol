// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Seats
/// @notice How many of a jury's seats a bond holds: linear in the bond, so that splitting a stake wins nothing.
library Seats {
    /// @notice floor(x) seats of `size` x `bondWei` / `eligibleWei` = x, and one more if `draw` / 2^256 < x - floor(x).
    /// @param size below 2^32
    /// @param bondWei at most `eligibleWei`, below 2^96; 0 holds nothing
    /// @param draw uniform in 256 bits
    function held(uint256 size, uint256 bondWei, uint256 eligibleWei, uint256 draw) internal pure returns (uint256) {
        if (bondWei == 0) return 0;
        // draw / 2^256 < remainder / S is the same as floor(draw x S / 2^256) < remainder: exact, without a division.
        (uint256 high,) = Math.mul512(draw, eligibleWei);
        return size * bondWei / eligibleWei + (high < size * bondWei % eligibleWei ? 1 : 0);
    }
}
