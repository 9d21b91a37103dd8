// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Evidence} from "../../src/interfaces/ICourt.sol";
import {Assignment} from "../../src/libraries/Signed.sol";

/// @dev The first attempt at a task over `evidence`, for one hour, with room for a hundred units.
function createAssignment(
    bytes32 taskId,
    address coordinator,
    address miner,
    Evidence memory evidence,
    uint128 unitPriceWei,
    uint64 issuedAt
) pure returns (Assignment memory) {
    return Assignment({
        taskId: taskId,
        attempt: 1,
        coordinator: coordinator,
        miner: miner,
        manifest: keccak256("manifest"),
        inputHash: sha256(evidence.input),
        paramsHash: sha256(evidence.params),
        seed: 7,
        unitPriceWei: unitPriceWei,
        maxPriceWei: 100 * unitPriceWei,
        issuedAt: issuedAt,
        deadline: issuedAt + 1 hours,
        drawRef: keccak256("draw")
    });
}
