function Expand-DriveTemplate {
    <#
    .SYNOPSIS
    The lines of one part of drive.json, with every word in braces filled in.
    #>
    [CmdletBinding()]
    [OutputType([string[]])]
    param(
        [Parameter(Mandatory = $true)]
        [ValidateSet('remote', 'environment', 'prove', 'mount', 'mount_read_only', 'mount_windows')]
        [string] $Part,

        [Parameter(Mandatory = $true)]
        [hashtable] $Value
    )

    $file = Join-Path -Path $script:ModuleFolder -ChildPath 'drive.json'
    $template = Get-Content -LiteralPath $file -Raw -Encoding UTF8 | ConvertFrom-Json
    foreach ($line in $template.$Part) {
        $filled = $line
        foreach ($found in [regex]::Matches($line, '\{(\w+)\}')) {
            $name = $found.Groups[1].Value
            if (-not $Value.ContainsKey($name)) {
                throw "drive.json asks for {$name} in its part $Part, which nobody gave."
            }
            $filled = $filled.Replace($found.Value, [string] $Value[$name])
        }
        $filled
    }
}
