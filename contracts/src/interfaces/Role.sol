// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What a node is for. The numbers are part of the signed `Registration` structure and never change.
enum Role {
    None,
    Miner,
    Coordinator
}
