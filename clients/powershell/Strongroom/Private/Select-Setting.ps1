function Select-Setting {
    <#
    .SYNOPSIS
    One setting of an object that may lack it, or be missing itself.
    #>
    [CmdletBinding()]
    param(
        [AllowNull()]
        [object] $InputObject,

        [Parameter(Mandatory = $true)]
        [string] $Name,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [object] $Default
    )

    if ($null -ne $InputObject) {
        $found = $InputObject.PSObject.Properties[$Name]
        if ($null -ne $found) {
            return $found.Value
        }
    }
    $Default
}
