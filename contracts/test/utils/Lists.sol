// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Voucher} from "../../src/libraries/Signed.sol";

/// @notice Lists of one.
abstract contract Lists {
    function _list(address entry) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = entry;
    }

    function _list(uint256 entry) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = entry;
    }

    function _list(Voucher memory entry) internal pure returns (Voucher[] memory list) {
        list = new Voucher[](1);
        list[0] = entry;
    }

    function _list(bytes memory entry) internal pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = entry;
    }
}
